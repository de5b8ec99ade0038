import type { SharedFrame } from '../clients/session/client-outbox.interface.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import type { Codec } from '../protocol/codec.interface.js';
import type { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import { FrameRing } from './frame-ring.js';
import type { HistoryCounts } from './history-counts.js';
import { NumberedMessage } from './numbered-message.js';
import type { RingBudget } from './ring-budget.js';
import type { WsLossReason } from './room-history.interface.js';
import type {
  WsHistoryEntry,
  WsHistoryPage,
  WsHistoryRange,
  WsNumberedMessage,
  WsPosition,
  WsRoomStore,
} from './room-store.interface.js';

/** Milliseconds for which a missing number may be on its way: a lag is no loss. */
const LAG = 100;
/** Milliseconds before bad news is asked for once more: a server that was just replaced may have answered. */
const SECOND_LOOK = 1_000;
/** Milliseconds before a read that has failed is tried again. */
const READ_AGAIN = 1_000;
/** Entries of one read, and of the least one when older entries are read: many returning clients share it. */
const PAGE = 500;
const LEAST = 256;
/** Entries and bytes that may wait for a missing one. */
const MOST_WAITING = 1_000;
const MOST_WAITING_BYTES = 1_048_576;

/** What all logs of a worker share. */
export interface LogServices {
  readonly store: WsRoomStore;
  /** The codec that most clients are likely to use: the rings hold its frames. */
  readonly codec: Codec;
  readonly budget: RingBudget;
  /** Bytes that a member that is behind gets before its socket has to take them. */
  readonly pageBytes: number;
  /** Reads of the store, at most some at once. */
  readonly reads: ConcurrencyLimit;
  readonly counts: HistoryCounts;
  readonly runtime: Runtime;
}

/** Hears of a log in the order of its numbers. */
export interface LogListener {
  /** The next message. */
  delivered(message: NumberedMessage): void;
  /** What is between the last message and this position cannot be had. */
  lost(position: WsPosition, reason: WsLossReason): void;
}

/** Entries for one member, from the ring or read again; `lost`: they begin behind what was asked for. */
export interface LogPage {
  readonly frames: readonly (readonly [offset: number, frame: SharedFrame, exclude: readonly string[] | undefined])[];
  readonly lostUpTo?: number | undefined;
}

/**
 * The messages of one room with history in the order of their numbers, as this worker gets them. What comes too early waits
 * until the missing ones are there, or were read; what comes again is dropped. It holds the newest frames.
 */
export class RoomLog {
  readonly #ring = new FrameRing(1);
  readonly #roomText: string;
  /** Messages that came before an earlier one, by offset. */
  readonly #waiting = new Map<number, WsNumberedMessage>();
  readonly #pages = new Map<number, Promise<LogPage>>();
  #waitingBytes = 0;
  #listener: LogListener = { delivered: () => undefined, lost: () => undefined };
  /** Empty until the store has told it. */
  #epoch = '';
  #delivered = 0;
  /** The newest offset that is known of, of this epoch. */
  #highest = 0;
  /** The newest message of another epoch that came meanwhile. */
  #foreign: WsPosition | null = null;
  /** False while the room may have gone on without this worker. */
  #isVerified = false;
  #doubts = 0;
  #verifying: Promise<void> | null = null;
  #filling: Promise<void> | null = null;
  #readingBack: Promise<WsHistoryPage | null> | null = null;
  #patience: RuntimeTimer | null = null;
  #isClosed = false;
  #heardAt: number;
  /** When the last message was delivered (monotonic). */
  #messageAt: number;
  #forgetsFrames = false;

  constructor(
    readonly roomName: string,
    readonly retention: WsRetention,
    private readonly services: LogServices,
  ) {
    this.#roomText = JSON.stringify(roomName);
    this.#heardAt = this.#messageAt = services.runtime.monotonic();
  }

  /** Where the log stands: everything up to here was delivered. */
  get position(): WsPosition {
    return { epoch: this.#epoch, offset: this.#delivered };
  }

  get epoch(): string {
    return this.#epoch;
  }

  get delivered(): number {
    return this.#delivered;
  }

  /** The newest offset that is known of. */
  get highest(): number {
    return Math.max(this.#highest, this.#delivered);
  }

  /** Whether the position is known, and nothing was missed since. */
  get isSettled(): boolean {
    return this.#isVerified;
  }

  /** The monotonic time of the last sign of the room: a message, or a look at the top. */
  get heardAt(): number {
    return this.#heardAt;
  }

  listen(listener: LogListener): void {
    this.#listener = listener;
  }

  /** Takes a message that has a number. */
  take({ epoch, offset }: WsPosition, message: WsNumberedMessage): void {
    if (this.#isClosed) return;
    if (epoch !== this.#epoch) {
      // Nothing of another epoch is delivered before the store has confirmed that it holds.
      this.#foreign = { epoch, offset };
      if (this.#epoch !== '') this.check();
      return;
    }
    if (offset > this.#highest) this.#highest = offset;
    const ahead = offset - this.#delivered;
    if (ahead === 1) {
      this.#deliver(offset, message);
      if (this.#waiting.size > 0) this.#deliverWaiting();
    } else if (ahead > 1) this.#wait(offset, message);
  }

  /** The link to the store was lost: nothing is certain until the top was read again. */
  doubt(): void {
    this.#doubts++;
    this.#isVerified = false;
  }

  /** Reads the top in the background. Never rejects. */
  check(): void {
    void this.verify().catch(() => undefined); // the next return of the link verifies again
  }

  /**
   * Reads the top, and catches up in the background. Resolves once the log stands in the epoch that holds.
   *
   * @throws WsError UNAVAILABLE
   */
  verify(): Promise<void> {
    return (this.#verifying ??= this.#verify().finally(() => (this.#verifying = null)));
  }

  /** As {@link verify} where that is necessary. */
  async settle(): Promise<void> {
    if (!this.#isVerified) await this.verify();
    // The link was lost once more meanwhile.
    if (!this.#isVerified) await this.verify();
  }

  /**
   * Brings the entries from `from` on into the ring, and keeps them there during `use`.
   *
   * @param most bytes
   * @throws WsError UNAVAILABLE
   */
  async withEntries<T>(from: number, most: number, use: (lack: WsLossReason | undefined) => T): Promise<T> {
    const { budget } = this.services;
    budget.pin(this.#ring);
    try {
      return use(await this.#reach(from, most));
    } finally {
      budget.unpin(this.#ring);
    }
  }

  /** The offset of the oldest entry in the ring; that of the next message when there is none. */
  get oldestHeld(): number {
    return this.#ring.first;
  }

  /** Bytes of the entries of the ring from this offset on. */
  bytesFrom(offset: number): number {
    return this.#ring.bytesFrom(offset);
  }

  /** Counts the entries from this offset on that are not excluded. */
  countFrom(offset: number, isExcluded: (exclude: readonly string[] | undefined) => boolean): number {
    let count = 0;
    for (let at = offset; at <= this.#delivered; at++) if (!isExcluded(this.#ring.excludeOf(at))) count++;
    return count;
  }

  /** Entries from this offset on, of at most so many bytes; a promise of them where the ring does not reach back so far. */
  page(from: number, most: number): LogPage | Promise<LogPage> {
    if (from >= this.#ring.first) return this.#heldPage(from, most);
    let page = this.#pages.get(from);
    if (!page) {
      page = this.#readPage(from).finally(() => this.#pages.delete(from));
      this.#pages.set(from, page);
    }
    return page;
  }

  /** Drops the frames of messages that are not kept any more. */
  expire(): void {
    const { budget, runtime } = this.services;
    if (this.#ring.first > this.#delivered || runtime.monotonic() - this.#messageAt < this.retention.ttl) return;
    this.#ring.clear(this.#delivered + 1);
    budget.note(this.#ring);
  }

  close(): void {
    this.#isClosed = true;
    this.#patience?.cancel();
    this.services.budget.remove(this.#ring);
  }

  #deliver(offset: number, message: WsNumberedMessage): void {
    const { codec, runtime } = this.services;
    const numbered = new NumberedMessage(message, this.#roomText, offset);
    this.#delivered = offset;
    this.#heardAt = this.#messageAt = runtime.monotonic();
    this.#keep(numbered.frameFor(codec).bytes, message.exclude);
    this.#listener.delivered(numbered);
  }

  #keep(frame: Buffer, exclude: readonly string[]): void {
    const ring = this.#ring;
    const before = ring.bytes;
    ring.push(frame, exclude);
    if (ring.bytes === before) return;
    ring.dropBefore(this.#delivered - this.retention.size + 1);
    this.services.budget.note(ring);
  }

  #wait(offset: number, message: WsNumberedMessage): void {
    // What does not fit is read later: nobody waits for a worker that is behind.
    if (this.#waiting.size < MOST_WAITING && this.#waitingBytes < MOST_WAITING_BYTES && !this.#waiting.has(offset)) {
      this.#waiting.set(offset, message);
      this.#waitingBytes += message.text.length;
    }
    this.#patience ??= this.services.runtime.fairTimeout(LAG, () => {
      this.#patience = null;
      if (this.#highest <= this.#delivered) return;
      this.services.counts.holes++;
      this.#fill();
    });
  }

  #deliverWaiting(): void {
    for (;;) {
      const next = this.#delivered + 1;
      const message = this.#waiting.get(next);
      if (!message) break;
      this.#unwait(next, message);
      this.#deliver(next, message);
    }
  }

  #unwait(offset: number, { text }: WsNumberedMessage): void {
    this.#waiting.delete(offset);
    this.#waitingBytes -= text.length;
  }

  async #verify(): Promise<void> {
    const { store, runtime } = this.services;
    const doubt = this.#doubts;
    const isNew = this.#epoch === '';
    // Whatever was delivered by now had its number before the store answers.
    let least = this.#delivered;
    let top = await store.top(this.roomName, this.retention);
    const isOther = (): boolean => top.epoch !== this.#epoch || top.offset < least;
    if (!isNew && isOther()) {
      this.#isVerified = false;
      await new Promise<void>((resolve) => runtime.timeout(SECOND_LOOK, resolve));
      least = this.#delivered;
      top = await store.top(this.roomName, this.retention);
      if (isOther()) await this.#renew(top);
    } else if (isNew) {
      this.#restart(top);
    }
    this.#heardAt = runtime.monotonic();
    this.#isVerified = doubt === this.#doubts;
    this.#foreign = null;
    if (top.epoch === this.#epoch) this.#highest = Math.max(this.#highest, top.offset);
    if (this.#highest > this.#delivered) this.#fill();
  }

  /** Begins a new epoch: from its first message on where all of them can still be read, else from its top. */
  async #renew(top: WsPosition): Promise<void> {
    let from = top.offset;
    // Where another master went unnoticed the numbers of one epoch go back: those below are known already.
    if (top.epoch !== this.#epoch && from > 0 && from <= LEAST) {
      const page = await this.#read({ since: 0, limit: 1 });
      if (page.top.epoch === top.epoch && page.oldest === 1) from = 0;
    }
    const position = { epoch: top.epoch, offset: from };
    this.#restart(position);
    this.#listener.lost(position, 'epoch');
  }

  #restart({ epoch, offset }: WsPosition): void {
    this.#epoch = epoch;
    this.#delivered = offset;
    const { epoch: of, offset: seen } = this.#foreign ?? { epoch: '', offset: 0 };
    this.#highest = of === epoch ? Math.max(offset, seen) : offset;
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.#ring.clear(offset + 1);
    this.services.budget.note(this.#ring);
  }

  /** Reads what is missing, in the background. */
  #fill(): void {
    if (this.#filling || this.#isClosed) return;
    this.#filling = this.#readMissing()
      .catch(() => this.#fillLater())
      .finally(() => {
        this.#filling = null;
      });
  }

  #fillLater(): void {
    this.#patience ??= this.services.runtime.timeout(READ_AGAIN, () => {
      this.#patience = null;
      if (this.#highest > this.#delivered) this.#fill();
    });
  }

  async #readMissing(): Promise<void> {
    let isSecondLook = false;
    while (!this.#isClosed && this.#highest > this.#delivered) {
      const epoch = this.#epoch;
      const from = this.#delivered;
      const page = await this.#read({ since: from, limit: PAGE });
      if (epoch !== this.#epoch) continue; // it has begun anew meanwhile
      if (page.top.epoch !== epoch || page.top.offset < from) {
        this.check();
        return;
      }
      this.#highest = Math.max(this.#highest, page.top.offset);
      if (page.oldest > this.#delivered + 1) {
        if (!isSecondLook) {
          isSecondLook = true;
          await new Promise<void>((resolve) => this.services.runtime.timeout(SECOND_LOOK, resolve));
          continue;
        }
        this.#skipTo(page.oldest - 1);
      }
      isSecondLook = false;
      for (const entry of page.entries) this.take({ epoch, offset: entry.offset }, entry);
      // The number of a message that is not in the store: it is asked again later, and at the latest with the next message.
      if (this.#delivered === from) {
        this.#fillLater();
        return;
      }
    }
  }

  /** What is missing up to here is not kept any more. */
  #skipTo(offset: number): void {
    for (const [waiting, message] of this.#waiting) if (waiting <= offset) this.#unwait(waiting, message);
    this.#delivered = offset;
    this.#ring.clear(offset + 1);
    this.services.budget.note(this.#ring);
    this.#listener.lost(this.position, 'trimmed');
    this.#deliverWaiting();
  }

  async #reach(from: number, most: number): Promise<WsLossReason | undefined> {
    while (from < this.#ring.first && this.#ring.first > 1) {
      if (this.#ring.bytesFrom(this.#ring.first) > most) return 'limit';
      const first = this.#ring.first;
      const page = await (this.#readingBack ??= this.#readBack(from).finally(() => (this.#readingBack = null)));
      if (page === null) return 'epoch';
      if (this.#ring.first <= from) break;
      if (page.oldest >= this.#ring.first) return 'trimmed';
      // Others have read, or the log has begun anew meanwhile; else the entries are not there although they should be.
      if (this.#ring.first === first && page.entries.length === 0) return 'trimmed';
    }
    return undefined;
  }

  /** Reads older entries than the ring has; null: another epoch holds. */
  async #readBack(from: number): Promise<WsHistoryPage | null> {
    const until = this.#ring.first - 1;
    const epoch = this.#epoch;
    const since = Math.max(0, Math.min(from, until - LEAST + 1) - 1);
    const page = await this.#read({ since, until, limit: PAGE, reverse: true });
    if (page.top.epoch !== epoch || epoch !== this.#epoch) {
      this.check();
      return null;
    }
    if (this.#ring.first !== until + 1) return page;
    const entries: WsHistoryEntry[] = [];
    for (const entry of page.entries) {
      if (entry.offset !== until - entries.length) break;
      entries.push(entry);
    }
    if (entries.length === 0) return page;
    entries.reverse();
    const frames = entries.map((entry) => this.#frameOf(entry).bytes);
    const excludes = entries.map(({ exclude }) => exclude);
    this.#ring.prepend(frames, excludes);
    this.services.budget.note(this.#ring);
    return page;
  }

  #heldPage(from: number, most: number): LogPage {
    const ring = this.#ring;
    const frames: [number, SharedFrame, readonly string[] | undefined][] = [];
    let bytes = 0;
    for (let offset = from; offset <= this.#delivered && bytes < most; offset++) {
      const frame = ring.frame(offset);
      bytes += frame.bytes.length;
      frames.push([offset, frame, ring.excludeOf(offset)]);
    }
    this.#forgetFramesSoon();
    return { frames };
  }

  async #readPage(from: number): Promise<LogPage> {
    const { top, oldest, entries } = await this.#read({ since: from - 1, limit: LEAST });
    if (top.epoch !== this.#epoch) {
      await this.verify();
      return { frames: [] };
    }
    const frames = entries
      .filter(({ offset }) => offset <= this.#delivered)
      .map((entry) => [entry.offset, this.#frameOf(entry), entry.exclude] as const);
    return { frames, lostUpTo: oldest > from ? oldest - 1 : undefined };
  }

  #frameOf(entry: WsHistoryEntry): SharedFrame {
    return new NumberedMessage(entry, this.#roomText, entry.offset).frameFor(this.services.codec);
  }

  /** The recipients of one turn share frames; later ones make them anew from the bytes. */
  #forgetFramesSoon(): void {
    if (this.#forgetsFrames) return;
    this.#forgetsFrames = true;
    this.services.runtime.afterIo(() => {
      this.#forgetsFrames = false;
      this.#ring.forgetFrames();
    });
  }

  #read(range: WsHistoryRange): Promise<WsHistoryPage> {
    const { reads, store, counts } = this.services;
    counts.reads++;
    return settledIn(reads, () => store.read(this.roomName, range, this.retention));
  }
}

/** Runs a task that may reject within a limit. */
async function settledIn<T>(limit: ConcurrencyLimit, task: () => Promise<T>): Promise<T> {
  const settled = await limit.take(() => Promise.allSettled([task()]));
  const [outcome] = settled;
  if (outcome.status === 'fulfilled') return outcome.value;
  throw outcome.reason;
}
