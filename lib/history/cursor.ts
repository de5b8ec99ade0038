import type { Exclusion } from '../clients/exclusion.js';
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
   * - `ahead`: stands where this worker has not come yet.
   * - `live`: gets each message as it comes.
   * - `gone`: is no member any more.
   */
  state: 'held' | 'behind' | 'ahead' | 'live' | 'gone' = 'held';
  /** The offset of the next message; kept up to date while it is not live. */
  next = 1;
  /** The last offset that the client knows of; kept up to date while it is not live. */
  told = 0;
  notice: Notice | null = null;
  /** Whether it was not said yet where it goes on: it has just entered the room, and nothing was answered or sent. */
  isNew = true;
  /** From where answers that are not out yet say that it goes on: the lowest of these offsets. */
  promised = Infinity;
  isPumped = false;
  /** What the client was called on an earlier connection: nobody else can be meant by that id any more. */
  was: string | undefined;

  constructor(readonly client: ClientSession) {}

  /** The next message is the one behind this offset. */
  stand(offset: number): void {
    this.next = offset + 1;
    this.told = offset;
  }

  /** As {@link stand} for an answer: what another answer promises, which is not out yet either, stays promised. */
  promise(offset: number): void {
    this.promised = Math.min(offset, this.promised);
    this.isNew = false;
    this.stand(this.promised);
  }

  /** Whether a message leaves the member out as it is now: by its id, its user or its rooms. */
  isExcluded(exclusion: Exclusion | undefined): boolean {
    return exclusion?.hides(this.client, this.was) ?? false;
  }
}
