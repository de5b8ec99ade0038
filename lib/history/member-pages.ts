import { Exclusion } from '../clients/exclusion.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { Cursor } from './cursor.js';
import type { ReadRule } from './read-rule.js';
import type { ReplayBudget } from './replay-budget.js';
import type { MemberPage, MemberRange } from './room-history.interface.js';
import type { WsHistoryEntry, WsRoomStore } from './room-store.interface.js';

/** Messages of a page by default, and of a further read at least, where nothing of the page was for the member. */
const PAGE = 100;

/** Pages of a room's history for its members. */
export class MemberPages {
  constructor(
    private readonly store: WsRoomStore,
    private readonly rule: ReadRule,
    private readonly budget: ReplayBudget,
  ) {}

  /**
   * Reads until there is a message that the member may see, or nothing more. Pages without one count as read.
   *
   * @throws WsError FORBIDDEN, RATE_LIMITED, UNAVAILABLE, TIMEOUT; what `rooms.mayRead` throws
   */
  async read(
    cursor: Cursor,
    roomName: string,
    { since, limit = PAGE, reverse = false, bytes: most = Infinity }: MemberRange,
    retention: WsRetention,
  ): Promise<MemberPage> {
    const { client } = cursor;
    const allowance = await this.rule.allowance(client, roomName);
    if (allowance === 0) throw notReadable();
    this.#checkBudget(client);
    // What came before it stays closed, however many messages follow.
    const first = allowance === Infinity ? 1 : (await this.store.top(roomName, retention)).offset - allowance + 1;
    let from = Math.max(0, first - 1, reverse ? 0 : (since?.offset ?? 0));
    let until = reverse && since ? since.offset - 1 : Infinity;
    let count = limit;
    for (;;) {
      const range = { since: from, until: until === Infinity ? undefined : Math.max(0, until), reverse };
      const page = await this.store.read(roomName, { ...range, limit: count }, retention);
      const { top, oldest } = page;
      if (since && since.epoch !== top.epoch) return { entries: [], top, more: false, reason: 'epoch' };
      const least = Math.max(oldest, first);
      const last = page.entries.at(-1)?.offset;
      const isMore = last !== undefined && (reverse ? last > least : last < top.offset);
      const visible = page.entries.filter((entry) => !cursor.isExcluded(Exclusion.of(entry)));
      if (isMore && visible.length === 0) {
        // Else somebody whom all messages leave out could have the whole room read, again and again.
        this.budget.spendOfMinute(client, bytesOf(page.entries));
        this.#checkBudget(client);
        if (reverse) until = last - 1;
        else from = last;
        count = Math.max(limit, PAGE);
        continue;
      }
      const entries = this.#take(visible, limit, most, client);
      const isGap = since && !reverse && since.offset + 1 < least;
      const reason = isGap ? (first > oldest ? 'limit' : 'trimmed') : undefined;
      return { entries, top, more: isMore || entries.length < visible.length, reason };
    }
  }

  #checkBudget(client: ClientSession): void {
    if (this.budget.leftOfMinute(client) > 0) return;
    throw new WsError('RATE_LIMITED', 'No more of the history can be read in this minute.');
  }

  /** The first of the entries, within so many and so many bytes: these are counted. */
  #take(
    entries: readonly WsHistoryEntry[],
    limit: number,
    most: number,
    client: ClientSession,
  ): readonly WsHistoryEntry[] {
    let [count, bytes] = [0, 0];
    for (const { text } of entries) {
      const size = Buffer.byteLength(text);
      if (count === limit || (count > 0 && bytes + size > most)) break;
      count++;
      bytes += size;
    }
    this.budget.spendOfMinute(client, bytes);
    return entries.slice(0, count);
  }
}

function bytesOf(entries: readonly WsHistoryEntry[]): number {
  return entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
}

export function notReadable(): WsError {
  return new WsError('FORBIDDEN', 'The history of this room is not open to you.');
}
