import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { ReadRule } from './read-rule.js';
import type { ReplayBudget } from './replay-budget.js';
import type { MemberPage, MemberRange } from './room-history.interface.js';
import type { WsRoomStore } from './room-store.interface.js';

/** Messages of one page: by default, and at most. */
const PAGE = 100;
const MOST = 1_000;

/** Pages of a room's history for its members. */
export class MemberPages {
  constructor(
    private readonly store: WsRoomStore,
    private readonly rule: ReadRule,
    private readonly budget: ReplayBudget,
  ) {}

  /** @throws WsError FORBIDDEN, RATE_LIMITED, UNAVAILABLE, TIMEOUT; what `rooms.mayRead` throws */
  async read(
    client: ClientSession,
    roomName: string,
    { since, limit = PAGE, reverse = false }: MemberRange,
    retention: WsRetention,
  ): Promise<MemberPage> {
    if (!client.rooms.has(roomName)) throw notReadable();
    const allowance = await this.rule.allowance(client, roomName);
    if (allowance === 0) throw notReadable();
    if (this.budget.leftOfMinute(client) <= 0) {
      throw new WsError('RATE_LIMITED', 'No more of the history can be read in this minute.');
    }
    // What came before it stays closed, however many messages follow.
    const first = allowance === Infinity ? 1 : (await this.store.top(roomName, retention)).offset - allowance + 1;
    const from = reverse ? first - 1 : Math.max(first - 1, since?.offset ?? 0);
    const range = { since: Math.max(0, from), until: reverse && since ? since.offset - 1 : undefined, reverse };
    const page = await this.store.read(roomName, { ...range, limit: Math.min(limit, MOST) }, retention);
    const { top, oldest } = page;
    if (since && since.epoch !== top.epoch) return { entries: [], top, more: false, reason: 'epoch' };
    const least = Math.max(oldest, first);
    const isGap = since && !reverse && since.offset + 1 < least;
    const reason = isGap ? (first > oldest ? 'limit' : 'trimmed') : undefined;
    const entries = page.entries.filter(({ exclude }) => !exclude.includes(client.clientId));
    const bytes = entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    this.budget.spendOfMinute(client, bytes);
    const last = page.entries.at(-1)?.offset;
    const more = last !== undefined && (reverse ? last > least : last < top.offset);
    return { entries, top, more, reason };
  }
}

export function notReadable(): WsError {
  return new WsError('FORBIDDEN', 'The history of this room is not open to you.');
}
