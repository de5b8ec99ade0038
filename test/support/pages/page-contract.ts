/** The contract of the pages that test the hooks. */
export interface Tea {
  routes: { tea: { pot: { data: { of: string }; reply: { cups: number } } } };
  pushes: { tea: { poured: { text: string } } };
}

/** What a page shows; `show(change)` of the page changes it. */
export interface Shown {
  /** The components with hooks are there. */
  isOn: boolean;
  /** A component that hears pushes, and gives another handler each time it is rendered. */
  hears: boolean;
  /** The rooms of components, one each. */
  rooms: (string | null)[];
  /** What is asked for; null: nothing. */
  pot: string | null;
  /** Renders everything anew. */
  round: number;
}

export const NOTHING: Shown = { isOn: true, hears: false, rooms: [], pot: null, round: 0 };
