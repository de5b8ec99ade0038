import type { Exclusion } from '../clients/exclusion.js';
import type { SharedFrame } from '../clients/session/client-outbox.interface.js';
import type { WsRetention } from '../options/rooms/history.options.js';
import { FrameRing } from './frame-ring.js';
import { NumberedMessage } from './numbered-message.js';
import type { LogServices } from './log-services.js';
import type { WsLossReason } from './room-history.interface.js';
import type { WsHistoryEntry, WsHistoryPage, WsHistoryRange } from './room-store.interface.js';

/** Entries of one read, and of the least one: many returning clients share it. */
const PAGE = 500;
const LEAST = 256;

/** What {@link KeptFrames} know of their log. */
export interface FramesLog {
  readonly roomName: string;
  /** The room's name as JSON. */
  readonly roomText: string;
  readonly retention: WsRetention;
  readonly epoch: string;
  /** The offset of the newest message. */
  readonly delivered: number;
  /** Reads entries from the store. */
  read(range: WsHistoryRange): Promise<WsHistoryPage>;
  check(): void;
  verify(): Promise<void>;
}

type PageFrame = readonly [offset: number, frame: SharedFrame, exclusion: Exclusion | undefined];

/** Successive frames for members that are behind. */
export interface LogPage {
  readonly frames: readonly PageFrame[];
  /** Set where the frames up to this offset cannot be had any more. */
  readonly lostUpTo?: number | undefined;
}

/** The newest frames of a room, and the way to older ones: they are read from the store, once for all who need them. */
export class KeptFrames {
  readonly #ring = new FrameRing(1);
  /** Pages that were made in this turn, by their first offset. */
  #held: Map<number, LogPage> | null = null;
  /** Pages that are being read. */
  readonly #pages = new Map<number, Promise<LogPage>>();
  #readingBack: Promise<WsHistoryPage | null> | null = null;
  /** Bytes of a frame of the last page that was read. */
  #usualSize = 256;
  /** When the newest frame was added (monotonic). */
  #addedAt: number;

  constructor(
    private readonly log: FramesLog,
    private readonly services: LogServices,
  ) {
    this.#addedAt = services.runtime.monotonic();
  }

  /** The offset of the oldest frame at hand; that of the next message when there is none. */
  get oldest(): number {
    return this.#ring.first;
  }

  /**
   * Adds the frame of the newest message.
   *
   * @param now monotonic
   */
  add(frame: SharedFrame, exclusion: Exclusion | undefined, now: number): void {
    const ring = this.#ring;
    const before = ring.bytes;
    this.#addedAt = now;
    ring.push(frame.bytes, exclusion);
    if (ring.bytes === before) return;
    ring.dropBefore(this.log.delivered - this.log.retention.size + 1);
    this.services.budget.note(ring);
  }

  /** Drops everything: the next message has this offset. */
  clear(next: number): void {
    this.#ring.clear(next);
    this.services.budget.note(this.#ring);
  }

  /** Drops the frames of messages that are not kept any more. */
  expire(): void {
    const isFresh = this.services.runtime.monotonic() - this.#addedAt < this.log.retention.ttl;
    if (!isFresh && this.#ring.first <= this.log.delivered) this.clear(this.log.delivered + 1);
  }

  close(): void {
    this.services.budget.remove(this.#ring);
  }

  /**
   * Brings the frames from `from` on to hand, and keeps them during `use`.
   *
   * @param most bytes
   * @param use gets why they cannot be had; undefined when they are at hand
   * @throws WsError UNAVAILABLE
   */
  async reach<T>(from: number, most: number, use: (lack: WsLossReason | undefined) => T): Promise<T> {
    const { budget } = this.services;
    budget.pin(this.#ring);
    try {
      return use(await this.#reach(from, most));
    } finally {
      budget.unpin(this.#ring);
    }
  }

  /** Bytes of the frames at hand from this offset on. */
  bytesFrom(offset: number): number {
    return this.#ring.bytesFrom(offset);
  }

  /** Counts the frames at hand from this offset on that are not excluded. */
  countFrom(offset: number, isExcluded: (exclusion: Exclusion | undefined) => boolean): number {
    let count = 0;
    for (let at = offset; at <= this.log.delivered; at++) if (!isExcluded(this.#ring.exclusionOf(at))) count++;
    return count;
  }

  /** Frames from this offset on, of about so many bytes; a promise of them where they have to be read. */
  page(from: number, most: number): LogPage | Promise<LogPage> {
    if (from >= this.#ring.first) return this.#held?.get(from) ?? this.#hold(from, most);
    let page = this.#pages.get(from);
    if (!page) {
      page = this.#readPage(from, most).finally(() => this.#pages.delete(from));
      this.#pages.set(from, page);
    }
    return page;
  }

  async #reach(from: number, most: number): Promise<WsLossReason | undefined> {
    const ring = this.#ring;
    while (from < ring.first) {
      const { first } = ring;
      if (ring.bytesFrom(first) > most) return 'limit';
      const page = await (this.#readingBack ??= this.#readBack(from).finally(() => (this.#readingBack = null)));
      if (page === null) return 'epoch';
      if (from >= ring.first) break;
      const isEmpty = ring.first === first && page.entries.length === 0;
      if (page.oldest >= ring.first || isEmpty) return 'trimmed';
    }
    return undefined;
  }

  /** Reads older entries than there are at hand; null: another epoch holds. */
  async #readBack(from: number): Promise<WsHistoryPage | null> {
    const { log } = this;
    const { epoch } = log;
    const until = this.#ring.first - 1;
    const since = Math.max(0, Math.min(from, until - LEAST + 1) - 1);
    const page = await log.read({ since, until, limit: PAGE, reverse: true });
    if (page.top.epoch !== epoch || epoch !== log.epoch) {
      log.check();
      return null;
    }
    // The room's budget may have taken some meanwhile.
    if (this.#ring.first === until + 1) this.#prepend(page.entries, until);
    return page;
  }

  /** @param entries the newest first */
  #prepend(entries: readonly WsHistoryEntry[], until: number): void {
    const gap = entries.findIndex(({ offset }, at) => offset !== until - at);
    const found = [...(gap < 0 ? entries : entries.slice(0, gap))].reverse();
    if (found.length === 0) return;
    const messages = found.map((entry) => this.#messageOf(entry));
    this.#ring.prepend(
      messages.map((message) => message.frameFor(this.services.codec).bytes),
      messages.map(({ exclusion }) => exclusion),
    );
    this.services.budget.note(this.#ring);
  }

  #hold(from: number, most: number): LogPage {
    const ring = this.#ring;
    const frames: PageFrame[] = [];
    let bytes = 0;
    for (let offset = from; offset <= this.log.delivered && bytes < most; offset++) {
      const frame = ring.frame(offset);
      bytes += frame.bytes.length;
      frames.push([offset, frame, ring.exclusionOf(offset)]);
    }
    const page = { frames };
    this.#heldThisTurn().set(from, page);
    return page;
  }

  async #readPage(from: number, most: number): Promise<LogPage> {
    const { log } = this;
    // As many as are likely to fit: what does not is read once more.
    const limit = Math.max(1, Math.min(LEAST, Math.floor(most / this.#usualSize)));
    const { top, oldest, entries } = await log.read({ since: from - 1, limit });
    if (top.epoch !== log.epoch) {
      await log.verify();
      return { frames: [] };
    }
    const frames: PageFrame[] = [];
    let bytes = 0;
    for (const entry of entries) {
      if (entry.offset > log.delivered || bytes >= most) break;
      const message = this.#messageOf(entry);
      const frame = message.frameFor(this.services.codec);
      bytes += frame.bytes.length;
      frames.push([entry.offset, frame, message.exclusion]);
    }
    if (frames.length > 0) this.#usualSize = bytes / frames.length;
    return { frames, lostUpTo: oldest > from ? oldest - 1 : undefined };
  }

  #messageOf(entry: WsHistoryEntry): NumberedMessage {
    return new NumberedMessage(entry, this.log.roomText, entry.offset);
  }

  /** The members that are served in one turn share pages and frames; later ones make them anew from the bytes. */
  #heldThisTurn(): Map<number, LogPage> {
    if (this.#held) return this.#held;
    this.services.runtime.afterIo(() => {
      this.#held = null;
      this.#ring.forgetFrames();
    });
    return (this.#held = new Map<number, LogPage>());
  }
}
