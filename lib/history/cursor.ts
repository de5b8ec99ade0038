import type { ClientSession } from '../clients/session/client-session.js';
import type { WsLossReason } from './room-history.interface.js';
import type { WsPosition } from './room-store.interface.js';

/** A push about the room that goes out before the next numbered message. */
export interface Notice {
  readonly action: 'joined' | 'lost';
  readonly position: WsPosition;
  readonly reason?: WsLossReason | undefined;
}

/** How far one member of this worker is in a room with history. */
export class Cursor {
  /**
   * - `held`: has asked, and gets nothing before its answer.
   * - `behind`: gets kept messages, as fast as its socket takes them.
   * - `live`: gets each message as it comes.
   * - `gone`: is no member any more.
   */
  state: 'held' | 'behind' | 'live' | 'gone' = 'held';
  /** The offset of the next message; kept up to date while it is not live. */
  next = 1;
  /** The last offset that the client knows of; kept up to date while it is not live. */
  told = 0;
  notice: Notice | null = null;
  isPumped = false;
  /** What the client was called when these messages were sent, and up to which offset that counts. */
  #was: string | undefined;
  #wasUpTo = 0;

  constructor(readonly client: ClientSession) {}

  /** The next message is the one behind this offset. */
  stand(offset: number): void {
    this.next = offset + 1;
    this.told = offset;
  }

  /** Up to this offset the client may have been excluded by a former id. */
  remember(was: string | undefined, upTo: number): void {
    this.#was = was;
    this.#wasUpTo = upTo;
  }

  isExcluded(offset: number, exclude: readonly string[] | undefined): boolean {
    if (!exclude || exclude.length === 0) return false;
    if (exclude.includes(this.client.clientId)) return true;
    return this.#was !== undefined && offset <= this.#wasUpTo && exclude.includes(this.#was);
  }
}
