import type { Exclusion } from '../clients/exclusion.js';
import type { SharedFrame } from '../clients/session/client-outbox.interface.js';
import { textOfFrame } from '../clients/session/text-frame.js';

/** Bytes of the smallest and of the largest chunk, unless one frame is larger. */
const SMALLEST = 1_024;
const LARGEST = 65_536;

/** A frame whose bytes are a part of a chunk. */
class KeptFrame implements SharedFrame {
  constructor(readonly bytes: Buffer) {}

  get text(): string {
    return textOfFrame(this.bytes);
  }
}

/** Successive frames in one buffer, which costs less than a buffer for each. */
class Chunk {
  /** Where each frame ends. */
  readonly #ends: number[] = [];
  #exclusions: (Exclusion | undefined)[] | null = null;
  /** The frames that were read since {@link forget}, so that all their recipients share them. */
  #made: (KeptFrame | undefined)[] | null = null;

  constructor(
    /** The offset of the first frame. */
    readonly first: number,
    readonly buffer: Buffer,
  ) {}

  /** The offset behind the last frame. */
  get next(): number {
    return this.first + this.#ends.length;
  }

  get used(): number {
    return this.#ends.at(-1) ?? 0;
  }

  add(frame: Buffer, exclusion: Exclusion | undefined): void {
    if (exclusion) (this.#exclusions ??= [])[this.#ends.length] = exclusion;
    const end = this.used + frame.copy(this.buffer, this.used);
    this.#ends.push(end);
  }

  frame(offset: number): SharedFrame {
    const at = offset - this.first;
    const made = (this.#made ??= []);
    return (made[at] ??= new KeptFrame(this.buffer.subarray(this.#startOf(at), this.#ends[at])));
  }

  exclusionOf(offset: number): Exclusion | undefined {
    return this.#exclusions?.[offset - this.first];
  }

  /** Bytes of the frames from this offset up to the end. */
  bytesFrom(offset: number): number {
    return this.used - this.#startOf(Math.max(0, offset - this.first));
  }

  forget(): void {
    this.#made = null;
  }

  #startOf(at: number): number {
    return at === 0 ? 0 : (this.#ends[at - 1] ?? this.used);
  }
}

/** The newest frames of a room, without a gap, by their offsets. It grows at either end and shrinks at the old one. */
export class FrameRing {
  #chunks: Chunk[] = [];
  #bytes = 0;

  /** @param next the offset of the first frame that will be added */
  constructor(private next: number) {}

  /** The offset of the oldest frame; that of the next one when there is none. */
  get first(): number {
    return this.#chunks[0]?.first ?? this.next;
  }

  /** Bytes that the ring has taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the frame behind the newest one. */
  push(frame: Buffer, exclusion: Exclusion | undefined): void {
    let chunk = this.#chunks.at(-1);
    if (!chunk || chunk.buffer.length - chunk.used < frame.length) {
      // An eighth of what is there already: what stands empty at the end is never much.
      const size = Math.min(Math.max(SMALLEST, this.#bytes >> 3), LARGEST);
      chunk = this.#addChunk(this.next, Math.max(size, frame.length));
      this.#chunks.push(chunk);
    }
    chunk.add(frame, exclusion);
    this.next++;
  }

  /** Adds frames before the oldest one, in their order. */
  prepend(frames: readonly Buffer[], exclusions: readonly (Exclusion | undefined)[]): void {
    const size = frames.reduce((sum, { length }) => sum + length, 0);
    const chunk = this.#addChunk(this.first - frames.length, size);
    for (const [at, frame] of frames.entries()) chunk.add(frame, exclusions[at]);
    this.#chunks.unshift(chunk);
  }

  /** @param offset between {@link first} and the newest one */
  frame(offset: number): SharedFrame {
    return this.#chunkOf(offset).frame(offset);
  }

  /** Who does not get the frame; undefined: everybody gets it. */
  exclusionOf(offset: number): Exclusion | undefined {
    return this.#chunkOf(offset).exclusionOf(offset);
  }

  /** Bytes of the frames from this offset up to the newest one. */
  bytesFrom(offset: number): number {
    let sum = 0;
    for (const chunk of this.#chunks) if (chunk.next > offset) sum += chunk.bytesFrom(offset);
    return sum;
  }

  /** Drops the oldest chunk; returns how many bytes that frees. */
  dropOldest(): number {
    const freed = this.#chunks.shift()?.buffer.length ?? 0;
    this.#bytes -= freed;
    return freed;
  }

  /** Drops the chunks all of whose frames are older than this offset, but for the newest one. */
  dropBefore(offset: number): void {
    while (this.#chunks.length > 1 && (this.#chunks[0]?.next ?? Infinity) <= offset) this.dropOldest();
  }

  /** Drops everything. */
  clear(next: number): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.next = next;
  }

  /** Lets go of the frames that were read; their bytes stay. */
  forgetFrames(): void {
    for (const chunk of this.#chunks) chunk.forget();
  }

  #addChunk(first: number, size: number): Chunk {
    this.#bytes += size;
    return new Chunk(first, Buffer.allocUnsafeSlow(size));
  }

  #chunkOf(offset: number): Chunk {
    // Replays read from the old end, and live messages are not read back: few steps from either end.
    const chunk = this.#chunks.find(({ next }) => next > offset);
    if (!chunk || chunk.first > offset) throw new RangeError(`The ring has no frame ${offset}.`);
    return chunk;
  }
}
