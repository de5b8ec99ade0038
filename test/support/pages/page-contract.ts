import type { RoomMember } from 'nestjs-pxl-websocket/client';

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
  /** The room whose members a component shows, and in which its button sets the state `away`; null: none. */
  people: string | null;
  /** What is asked for; null: nothing. */
  pot: string | null;
  /** Renders everything anew. */
  round: number;
}

/** The members of a room in one text. */
export function namesOf(members: readonly RoomMember[]): string {
  return members.map(({ userId, state }) => [userId, state].filter(Boolean).join(':')).join(' ');
}

export const NOTHING: Shown = { isOn: true, hears: false, rooms: [], people: null, pot: null, round: 0 };
