import { WsError } from '../../errors/ws.error.js';
import type {
  WsAppend,
  WsAppended,
  WsHistoryEntry,
  WsHistoryPage,
  WsHistoryRange,
  WsPosition,
  WsRoomStore,
} from '../../history/room-store.interface.js';
import type { WsRetention } from '../../options/rooms/history.options.js';
import type { RedisScript } from '../../redis/data/redis-script.js';
import { APPEND, CLEAR, READ } from '../../redis/data/room-scripts.js';
import { bare, isReply, unpublished } from '../../redis/link/redis-failures.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { areOfOneTrace, type WsTraceContext } from '../../tracing/trace-context.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ClusterChannels, HistoryPlace } from './cluster-channels.js';
import { ExpiredRooms } from './expired-rooms.js';
import { numberedText, readKept, unnumberedText, writeBeginning, writeEntry } from './numbered-text.js';
import { RoomAppends } from './room-appends.js';

/** These name uses of Redis in the log, where Redis refuses them. */
const WHAT = 'to keep the history of rooms';
const PUBLISHING = 'to publish what it keeps of rooms';

/** How many entries each look at a room removes at most: see `READ`. */
const REMOVED_AT_ONCE = 1_000;

/** What the trial at the start keeps, and how long. */
const TRIED: WsRetention = { size: 1, ttl: 1_000, metaTtl: 60_000 };

export interface RedisRoomStoreOptions {
  /** The sending worker's id; null: this process is no worker. */
  readonly origin: string | null;
  /** Whether another master begins a new epoch. */
  readonly seesFailover: boolean;
}

/** Messages of a room, written: see `numbered-text.ts`. */
interface WrittenBatch {
  readonly beginning: string;
  readonly entries: readonly string[];
  /** Undefined: no message has a key; otherwise one for each, `''` for none. */
  readonly keys?: readonly string[] | undefined;
}

/** The rooms' history in Redis: one hash per room, one script per batch of messages. */
export class RedisRoomStore implements WsRoomStore, MetricSource {
  readonly #appends: RoomAppends;
  readonly #expired: ExpiredRooms;
  #unpublished = 0;
  /** Whether the last batch could not be published. */
  #isSilent = false;

  constructor(
    private readonly link: RedisLink,
    private readonly channels: ClusterChannels,
    private readonly options: RedisRoomStoreOptions,
    private readonly runtime: Runtime,
  ) {
    const send = this.#send.bind(this);
    this.#appends = new RoomAppends(send, () => link.redisAtLeast(), runtime);
    this.#expired = new ExpiredRooms((roomName, retention) => this.#removeExpired(roomName, retention), runtime);
  }

  append(message: WsAppend): Promise<WsAppended> {
    return this.#appends.append(message);
  }

  async read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage> {
    const { since = 0, until = '', limit, reverse = false } = range;
    const place = this.channels.history(roomName);
    const answer = await this.#run(READ, place, retention, [since, until, limit, reverse ? 1 : 0]);
    const [epoch, top, oldest, first, ...kept] = answer;
    const page = { top: { epoch: String(epoch), offset: Number(top) }, oldest: Number(oldest) };
    const entries: WsHistoryEntry[] = [];
    let unreadable = 0;
    kept.forEach((entry, at) => {
      const offset = Number(first) + (reverse ? -at : at);
      const text = this.link.openKept(place.channel, String(entry));
      const message = text === null ? null : readKept(roomName, text);
      if (message) entries.push({ ...message, offset });
      else unreadable = Math.max(unreadable, offset);
    });
    if (unreadable === 0) return { ...page, entries };
    // What cannot be read is told like what is not kept any more, with all that is older.
    return { ...page, oldest: unreadable + 1, entries: entries.filter(({ offset }) => offset > unreadable) };
  }

  async top(roomName: string, retention: WsRetention): Promise<WsPosition> {
    const [epoch, offset] = await this.#run(READ, this.channels.history(roomName), retention, [0, '', 0, 0]);
    return { epoch: String(epoch), offset: Number(offset) };
  }

  async clear(roomName: string, retention: WsRetention, youngest = 0): Promise<WsPosition> {
    const [epoch, offset] = await this.#run(CLEAR, this.channels.history(roomName), retention, [youngest]);
    return { epoch: String(epoch), offset: Number(offset) };
  }

  /**
   * Tries whether Redis allows all that is needed, with a room that nobody has.
   *
   * @throws WsError UNAVAILABLE with Redis' own error as its cause; a script that may not call INFO fails with `NOINFO`
   */
  async tryOut(): Promise<void> {
    const place = this.channels.triedHistory;
    const batch = { beginning: this.#beginningOf(''), entries: [writeEntry({ text: '', exclude: [] })] };
    const [, , why] = await this.#append(place, batch, TRIED, this.link.redisNow() + 1_000);
    if (why !== '') throw unpublished(Object.assign(new Error(String(why)), { name: 'ReplyError' }));
  }

  /** Ends the work in the background. */
  stop(): void {
    this.#expired.stop();
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('history_unpublished', this.#unpublished);
  }

  async #send(
    roomName: string,
    messages: readonly [WsAppend, ...WsAppend[]],
    deadline: number,
  ): Promise<readonly WsAppended[]> {
    const place = this.channels.history(roomName);
    const hasKeys = messages.some(({ idempotencyKey }) => idempotencyKey !== undefined);
    const batch: WrittenBatch = {
      beginning: this.#beginningOf(roomName, this.#traceOf(messages)),
      entries: messages.map(writeEntry),
      keys: hasKeys ? messages.map(({ idempotencyKey = '' }) => idempotencyKey) : undefined,
    };
    const answer = await this.#append(place, batch, messages[0].retention, deadline);
    const [epoch, failures, why, receivers, ...offsets] = answer;
    this.#judge(Number(failures), String(why));
    this.#expired.used(roomName, messages[0].retention);
    const appended = offsets.map((given) => {
      const offset = Number(given);
      return { epoch: String(epoch), offset: Math.abs(offset), isRepeated: offset < 0 };
    });
    if (Number(receivers) >= 0 && !this.link.isHeard(place.channel, Number(receivers))) this.#detour(batch, appended);
    return appended;
  }

  #append(
    place: HistoryPlace,
    { beginning, entries, keys }: WrittenBatch,
    retention: WsRetention,
    deadline: number,
  ): Promise<readonly unknown[]> {
    const { isSealing } = this.link;
    const publish = this.channels.isSharded ? 'SPUBLISH' : 'PUBLISH';
    const flags = [isSealing ? 1 : 0, keys ? 1 : 0];
    const args = [Math.floor(deadline), publish, place.channel, ...flags, isSealing ? '' : beginning];
    entries.forEach((entry, at) => {
      args.push(isSealing ? this.link.sealed(place.channel, unnumberedText(beginning, entry)) : entry);
      if (keys) args.push(keys[at] ?? '');
    });
    return this.#run(APPEND, place, retention, args);
  }

  /** @throws WsError UNAVAILABLE, also when Redis refuses the script */
  async #run(
    script: RedisScript,
    { key }: HistoryPlace,
    { size, ttl, metaTtl }: WsRetention,
    args: readonly (string | number)[],
  ): Promise<readonly unknown[]> {
    const common = [this.options.seesFailover ? 1 : 0, this.runtime.randomId(6), size, ttl, metaTtl];
    try {
      const answer = await this.link.run((redis) => script.run(redis, [key], [...common, ...args]));
      this.link.outcome(WHAT);
      if (!Array.isArray(answer)) throw new WsError('UNAVAILABLE', 'Redis has answered something else.');
      return answer as unknown[];
    } catch (error) {
      if (isLate(error)) void this.link.setClock();
      else this.link.outcome(WHAT, error);
      throw unpublished(error);
    }
  }

  async #removeExpired(roomName: string, retention: WsRetention): Promise<void> {
    for (let removed = 0; removed < retention.size; removed += REMOVED_AT_ONCE) await this.top(roomName, retention);
  }

  /** What was not published comes to the members nevertheless: the next message, or the next look, shows the gap. */
  #judge(failures: number, why: string): void {
    this.#unpublished += failures;
    if (failures > 0) this.link.refused(PUBLISHING, new Error(why));
    else if (this.#isSilent) this.link.settled(PUBLISHING);
    this.#isSilent = failures > 0;
  }

  /** Publishes once more, to all workers. Those that have the numbers already drop them. */
  #detour({ beginning, entries }: WrittenBatch, appended: readonly WsAppended[]): void {
    entries.forEach((entry, at) => {
      const position = appended[at];
      if (!position || position.isRepeated) return;
      // A failure leaves a gap in the numbers, which workers notice.
      this.link.publish(this.channels.everybody, numberedText(beginning, entry, position)).catch(() => undefined);
    });
  }

  #beginningOf(roomName: string, trace?: WsTraceContext): string {
    return writeBeginning(roomName, { origin: this.options.origin, sentAt: Math.round(this.link.redisNow()) }, trace);
  }

  /**
   * The trace that a batch goes with: what is of several traces goes with none. Nor does what is signed, since it is kept as a whole,
   * and what is kept is in no trace.
   */
  #traceOf([{ trace }, ...others]: readonly [WsAppend, ...WsAppend[]]): WsTraceContext | undefined {
    if (this.link.isSealing) return undefined;
    return others.every((other) => areOfOneTrace(trace, other.trace)) ? trace : undefined;
  }
}

function isLate(error: unknown): boolean {
  return isReply(error) && bare(error).message.startsWith('LATE ');
}
