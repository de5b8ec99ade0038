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
import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds for which an idempotency key is known, and how many a room knows. */
const KEY_LIFE = 300_000;
const MOST_KEYS = 1_000;
/** The most rooms; above it those forget their numbering that have not been used for the longest time. */
const MOST_ROOMS = 100_000;
/** Milliseconds between two looks for what has expired. */
const SWEEP = 10_000;
/** Characters of the entries of a page, beyond the first entry. */
const MOST_TEXT = 1_048_576;

/** What is kept of a room. Times are ms of the monotonic clock. */
interface KeptRoom {
  readonly epoch: string;
  readonly since: number;
  retention: WsRetention;
  top: number;
  /** The oldest first; the offsets are those up to the top. */
  entries: WsHistoryEntry[];
  appendedAt: number;
  usedAt: number;
  /** Offset and time of each idempotency key, the oldest first. */
  readonly keys: Map<string, { readonly offset: number; readonly at: number }>;
}

/** The rooms' history of an application of one process, in its memory. */
export class LocalRoomStore implements WsRoomStore {
  /** The one that was used the longest time ago comes first. */
  readonly #rooms = new Map<string, KeptRoom>();
  #sweep: RuntimeTimer | null = null;

  constructor(private readonly runtime: Runtime) {}

  append(message: WsAppend): Promise<WsAppended> {
    return Promise.resolve(this.#append(message));
  }

  read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage> {
    const room = this.#use(roomName, retention);
    const { since = 0, until = room.top, limit, reverse = false } = range;
    const oldest = room.top - room.entries.length + 1;
    const found = room.entries.slice(Math.max(0, since + 1 - oldest), Math.max(0, until + 1 - oldest));
    if (reverse) found.reverse();
    let size = 0;
    const entries = found.slice(0, limit).filter(({ text }, at) => (size += text.length) <= MOST_TEXT || at === 0);
    return Promise.resolve({ top: positionOf(room), oldest, entries });
  }

  top(roomName: string, retention: WsRetention): Promise<WsPosition> {
    return Promise.resolve(positionOf(this.#use(roomName, retention)));
  }

  clear(roomName: string, retention: WsRetention, youngest = 0): Promise<WsPosition> {
    const known = this.#rooms.get(roomName);
    if (known && this.runtime.monotonic() - known.since >= youngest) this.#rooms.delete(roomName);
    return this.top(roomName, retention);
  }

  /** Forgets everything. */
  stop(): void {
    this.#sweep?.cancel();
    this.#sweep = null;
    this.#rooms.clear();
  }

  #append({ roomName, retention, idempotencyKey, ...message }: WsAppend): WsAppended {
    const room = this.#use(roomName, retention);
    const now = this.runtime.monotonic();
    const known = idempotencyKey === undefined ? undefined : room.keys.get(idempotencyKey);
    if (known && now - known.at <= KEY_LIFE) return { epoch: room.epoch, offset: known.offset, isRepeated: true };
    const offset = ++room.top;
    room.entries.push({ ...message, offset });
    room.appendedAt = now;
    while (room.entries.length > retention.size) room.entries.shift();
    if (idempotencyKey !== undefined) {
      room.keys.delete(idempotencyKey);
      room.keys.set(idempotencyKey, { offset, at: now });
      forgetKeys(room, now);
    }
    return { epoch: room.epoch, offset, isRepeated: false };
  }

  #use(roomName: string, retention: WsRetention): KeptRoom {
    const now = this.runtime.monotonic();
    const known = this.#rooms.get(roomName);
    const room = known && now - known.usedAt <= known.retention.metaTtl ? known : this.#begin(retention);
    if (room.entries.length > 0 && now - room.appendedAt > retention.ttl) room.entries = [];
    while (room.entries.length > retention.size) room.entries.shift();
    room.retention = retention;
    room.usedAt = now;
    this.#rooms.delete(roomName);
    this.#rooms.set(roomName, room);
    if (this.#rooms.size > MOST_ROOMS) this.#forgetOldest();
    this.#sweep ??= this.runtime.timeout(SWEEP, this.#forgetExpired);
    return room;
  }

  #begin(retention: WsRetention): KeptRoom {
    const now = this.runtime.monotonic();
    const epoch = `${this.runtime.now()}-${this.runtime.randomId(6)}`;
    return { epoch, since: now, retention, top: 0, entries: [], appendedAt: now, usedAt: now, keys: new Map() };
  }

  #forgetOldest(): void {
    const [oldest] = this.#rooms.keys();
    if (oldest !== undefined) this.#rooms.delete(oldest);
  }

  readonly #forgetExpired = (): void => {
    const now = this.runtime.monotonic();
    for (const [roomName, room] of this.#rooms) {
      if (now - room.usedAt > room.retention.metaTtl) this.#rooms.delete(roomName);
      else if (now - room.appendedAt > room.retention.ttl) room.entries = [];
      forgetKeys(room, now);
    }
    this.#sweep = this.#rooms.size > 0 ? this.runtime.timeout(SWEEP, this.#forgetExpired) : null;
  };
}

function positionOf({ epoch, top }: KeptRoom): WsPosition {
  return { epoch, offset: top };
}

function forgetKeys({ keys }: KeptRoom, now: number): void {
  for (const [key, { at }] of keys) {
    if (keys.size <= MOST_KEYS && now - at <= KEY_LIFE) break;
    keys.delete(key);
  }
}
