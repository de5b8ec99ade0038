import type { Announcer } from './dom/announcer.js';
import type { Actions } from './actions.js';
import type { ConsoleSession } from './session.js';

/** What views work with. */
export interface ViewContext {
  readonly session: ConsoleSession;
  readonly actions: Actions;
  readonly announcer: Announcer;
}

/** What stands in the middle of the page, for as long as one is there. */
export interface View {
  /** For the window's title. */
  readonly title: string;
  /** Has one `h1`. */
  readonly element: HTMLElement;
  /** Takes the parameters of the address; called before the first {@link refresh}, and when only they change. */
  show?(query: URLSearchParams): void;
  /** There is a connection: at first, and each time that another one stands. */
  connected?(): void;
  /** Asks for what it shows: at first, once connected again, and now and then while somebody looks. */
  refresh?(): Promise<void>;
  /** The workers have told how they are. */
  sampled?(): void;
  /** Its time is over. */
  close?(): void;
}
