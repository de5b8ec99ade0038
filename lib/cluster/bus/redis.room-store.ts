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
import { isReply, unpublished } from '../../redis/link/redis-failures.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ClusterChannels } from './cluster-channels.js';
import { readKept, unnumberedText, writeNumbered } from './numbered-text.js';
import { RoomAppends } from './room-appends.js';

/** Names this use of Redis in the log, where Redis refuses it. */
const WHAT = 'the history of rooms';

export interface RedisRoomStoreOptions {
  /** The sending worker's id; null: this process is no worker. */
  readonly origin: string | null;
  /** Whether another master begins a new epoch. */
  readonly seesFailover: boolean;
}

/** The rooms' history in Redis: one hash per room, one script per batch of messages. */
export class RedisRoomStore implements WsRoomStore, MetricSource {
  readonly #appends: RoomAppends;
  #unpublished = 0;

  constructor(
    private readonly link: RedisLink,
    private readonly channels: ClusterChannels,
    private readonly options: RedisRoomStoreOptions,
    private readonly runtime: Runtime,
  ) {
    const send = this.#append.bind(this);
    this.#appends = new RoomAppends(send, () => link.redisNow(), runtime);
  }

  append(message: WsAppend): Promise<WsAppended> {
    return this.#appends.append(message);
  }

  async read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage> {
    const { since = 0, until = '', limit, reverse = false } = range;
    const answer = await this.#run(READ, roomName, retention, [since, until, limit, reverse ? 1 : 0]);
    const [epoch, top, oldest, first, ...texts] = answer;
    const channel = this.channels.room(roomName);
    const page = { top: { epoch: String(epoch), offset: Number(top) }, oldest: Number(oldest) };
    const entries: WsHistoryEntry[] = [];
    let unreadable = 0;
    texts.forEach((text, at) => {
      const offset = Number(first) + (reverse ? -at : at);
      const opened = this.link.openKept(channel, String(text));
      const entry = opened === null ? null : readKept(roomName, opened);
      if (entry) entries.push({ ...entry, offset });
      else unreadable = Math.max(unreadable, offset);
    });
    if (unreadable === 0) return { ...page, entries };
    // What cannot be read is told like what is not kept any more, with all that is older.
    return { ...page, oldest: unreadable + 1, entries: entries.filter(({ offset }) => offset > unreadable) };
  }

  async top(roomName: string, retention: WsRetention): Promise<WsPosition> {
    const [epoch, offset] = await this.#run(READ, roomName, retention, [0, '', 0, 0]);
    return { epoch: String(epoch), offset: Number(offset) };
  }

  async clear(roomName: string, retention: WsRetention, youngest = 0): Promise<WsPosition> {
    const [epoch, offset] = await this.#run(CLEAR, roomName, retention, [youngest]);
    return { epoch: String(epoch), offset: Number(offset) };
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('history_unpublished', this.#unpublished);
  }

  async #append(
    roomName: string,
    messages: readonly [WsAppend, ...WsAppend[]],
    deadline: number,
  ): Promise<readonly WsAppended[]> {
    const channel = this.channels.room(roomName);
    const publish = this.channels.isSharded ? 'SPUBLISH' : 'PUBLISH';
    const { isSealing } = this.link;
    const args: (string | number)[] = [Math.floor(deadline), publish, channel, isSealing ? 1 : 0];
    const origin = { origin: this.options.origin, sentAt: Math.round(this.link.redisNow()) };
    for (const message of messages) {
      const text = writeNumbered(roomName, message, origin);
      if (isSealing) args.push('', this.link.sealed(channel, unnumberedText(text)));
      else args.push(text.head, text.tail);
      args.push(message.idempotencyKey ?? '');
    }
    const [epoch, failures, , ...offsets] = await this.#run(APPEND, roomName, messages[0].retention, args);
    if (Number(failures) > 0) this.#warn(Number(failures));
    return offsets.map((given) => {
      const offset = Number(given);
      return { epoch: String(epoch), offset: Math.abs(offset), isRepeated: offset < 0 };
    });
  }

  /** @throws WsError UNAVAILABLE, also when Redis refuses the script */
  async #run(
    script: RedisScript,
    roomName: string,
    { size, ttl, metaTtl }: WsRetention,
    args: readonly (string | number)[],
  ): Promise<readonly unknown[]> {
    const key = this.channels.history(roomName);
    const common = [this.options.seesFailover ? 1 : 0, this.runtime.randomId(6), size, ttl, metaTtl];
    try {
      const answer = await this.link.run((redis) => script.run(redis, [key], [...common, ...args]));
      this.link.outcome(WHAT);
      if (!Array.isArray(answer)) throw new WsError('UNAVAILABLE', 'Redis has answered something else.');
      return answer as unknown[];
    } catch (error) {
      if (!isLate(error)) this.link.outcome(WHAT, error);
      throw unpublished(error);
    }
  }

  /** Workers find out by the gap in the numbers. */
  #warn(count: number): void {
    this.#unpublished += count;
    this.link.troubled(WHAT, 'Redis keeps messages of rooms with history, but does not publish them.');
  }
}

function isLate(error: unknown): boolean {
  return isReply(error) && (error as Error).message.startsWith('LATE ');
}
