import type { WsRetention } from '../options/rooms/history.options.js';
import type { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import type { RuntimeTimer } from '../runtime/runtime.js';
import { KeptFrames, type FramesLog } from './kept-frames.js';
import type { LogServices } from './log-services.js';
import { NumberedMessage } from './numbered-message.js';
import type { ArrivedMessage, WsLossReason } from './room-history.interface.js';
import type { WsHistoryPage, WsHistoryRange, WsPosition } from './room-store.interface.js';

/** Milliseconds for which a missing number may be on its way: a lag is no loss. */
const LAG = 100;
/** Milliseconds before bad news is asked for once more: a server that was just replaced may have answered. */
const SECOND_LOOK = 1_000;
/** Milliseconds before a read that has failed is tried again. */
const READ_AGAIN = 1_000;
/** Entries of one read. */
const PAGE = 500;
/** A new epoch is delivered from its first message on where it has at most so many. */
const YOUNG = 256;
/** Entries and bytes that may wait for a missing one. */
const MOST_WAITING = 1_000;
const MOST_WAITING_BYTES = 1_048_576;

/** Hears of a log in the order of its numbers. */
export interface LogListener {
  /** The next message. */
  delivered(message: NumberedMessage): void;
  /**
   * What is between the last message and this position cannot be had.
   *
   * @param before the offset of the last message
   */
  lost(position: WsPosition, reason: WsLossReason, before: number): void;
}

/**
 * The messages of one room with history in the order of their numbers, as this worker gets them. What comes too early waits
 * until the missing ones are there, or were read; what comes again is dropped. It holds the newest frames.
 */
export class RoomLog implements FramesLog {
  /** The newest messages, to be replayed. */
  readonly frames: KeptFrames;
  /** What clients call the room, as JSON. */
  readonly roomText: string;
  /** Messages that came before an earlier one, by offset. */
  readonly #waiting = new Map<number, ArrivedMessage>();
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
  /** Whether somebody has told that a new epoch begins. */
  #isAnnounced = false;
  #verifying: Promise<void> | null = null;
  #filling: Promise<void> | null = null;
  #patience: RuntimeTimer | null = null;
  #isClosed = false;
  #heardAt: number;

  constructor(
    readonly roomName: string,
    readonly retention: WsRetention,
    private readonly services: LogServices,
  ) {
    this.roomText = JSON.stringify(services.names.nameOf(roomName));
    this.frames = new KeptFrames(this, services);
    this.#heardAt = services.runtime.monotonic();
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
  take({ epoch, offset }: WsPosition, message: ArrivedMessage): void {
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

  /** Somebody has cleared the room: its new epoch needs no second look. Never rejects. */
  cleared(): void {
    this.#isAnnounced = true;
    this.check();
  }

  /**
   * Reads the top, and catches up in the background. Resolves once the log stands in the epoch that holds.
   *
   * @throws WsError UNAVAILABLE
   */
  verify(): Promise<void> {
    return (this.#verifying ??= this.#verify().finally(() => (this.#verifying = null)));
  }

  /** As {@link verify}, by a look at the top that begins now. */
  async verifyAnew(): Promise<void> {
    await this.#verifying?.catch(() => undefined);
    await this.verify();
  }

  /** As {@link verify} where that is necessary. */
  async settle(): Promise<void> {
    if (!this.#isVerified) await this.verify();
    // The link was lost once more meanwhile.
    if (!this.#isVerified) await this.verify();
  }

  close(): void {
    this.#isClosed = true;
    this.#patience?.cancel();
    this.frames.close();
  }

  #deliver(offset: number, message: ArrivedMessage): void {
    const { codec, runtime, timings } = this.services;
    const numbered = new NumberedMessage(message, this.roomText, offset);
    this.#delivered = offset;
    this.#heardAt = runtime.monotonic();
    this.frames.add(numbered.frameFor(codec), numbered.exclusion, this.#heardAt);
    this.#listener.delivered(numbered);
    if (message.sent) timings.delivered(message.sent);
  }

  #wait(offset: number, message: ArrivedMessage): void {
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

  #unwait(offset: number, { text }: ArrivedMessage): void {
    this.#waiting.delete(offset);
    this.#waitingBytes -= text.length;
  }

  async #verify(): Promise<void> {
    const { runtime } = this.services;
    const doubt = this.#doubts;
    const isNew = this.#epoch === '';
    // Whatever was delivered by now had its number before the store answers.
    let least = this.#delivered;
    this.#foreign = null;
    let top = await this.#look();
    const isOther = (): boolean => top.epoch !== this.#epoch || top.offset < least;
    if (!isNew && isOther()) {
      this.#isVerified = false;
      if (!this.#isAnnounced) {
        await new Promise<void>((resolve) => runtime.timeout(SECOND_LOOK, resolve));
        least = this.#delivered;
        this.#foreign = null;
        top = await this.#look();
      }
      if (isOther()) await this.#renew(top);
    } else if (isNew) {
      this.#restart(top);
    }
    this.#isAnnounced = false;
    this.#heardAt = runtime.monotonic();
    this.#isVerified = doubt === this.#doubts;
    if (top.epoch === this.#epoch) this.#highest = Math.max(this.#highest, top.offset);
    if (this.#highest > this.#delivered) this.#fill();
    // It came while the store answered, and may be newer than the answer.
    if (this.#hasForeign()) runtime.afterIo(() => this.check());
  }

  #look(): Promise<WsPosition> {
    const { looks, store } = this.services;
    return settledIn(looks, () => store.top(this.roomName, this.retention));
  }

  #hasForeign(): boolean {
    return this.#foreign !== null && this.#foreign.epoch !== this.#epoch;
  }

  /** Begins a new epoch: from its first message on where all of them can still be read, else from its top. */
  async #renew(top: WsPosition): Promise<void> {
    let from = top.offset;
    // Where another master went unnoticed the numbers of one epoch go back: those below are known already.
    if (top.epoch !== this.#epoch && from > 0 && from <= YOUNG) {
      const page = await this.read({ since: 0, limit: 1 });
      if (page.top.epoch === top.epoch && page.oldest === 1) from = 0;
    }
    // Everybody has left meanwhile; who has come again since is told by the log that follows.
    if (this.#isClosed) return;
    const position = { epoch: top.epoch, offset: from };
    const before = this.#delivered;
    this.#restart(position);
    this.#listener.lost(position, 'epoch', before);
  }

  #restart({ epoch, offset }: WsPosition): void {
    this.#epoch = epoch;
    this.#delivered = offset;
    const { epoch: of, offset: seen } = this.#foreign ?? { epoch: '', offset: 0 };
    this.#highest = of === epoch ? Math.max(offset, seen) : offset;
    this.#waiting.clear();
    this.#waitingBytes = 0;
    this.frames.clear(offset + 1);
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
      const page = await this.read({ since: from, limit: PAGE });
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
    if (this.#isClosed) return;
    for (const [waiting, message] of this.#waiting) if (waiting <= offset) this.#unwait(waiting, message);
    const before = this.#delivered;
    this.#delivered = offset;
    this.frames.clear(offset + 1);
    this.#listener.lost(this.position, 'trimmed', before);
    this.#deliverWaiting();
  }

  /** Reads entries from the store, in its turn. */
  read(range: WsHistoryRange): Promise<WsHistoryPage> {
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
