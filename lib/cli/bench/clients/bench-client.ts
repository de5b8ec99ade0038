import type { BenchOptions } from '../options/bench-options.js';
import { Connection, JOIN_ID, type Ending } from './connection.js';
import type { Dialer } from './dialer.js';
import type { Frames, OpenFrame, ServerFrame } from './frames.js';
import type { LatencyHistogram } from '../measures/latency-histogram.js';
import type { MachineClock } from '../processes/machine-clock.js';
import { Receipts } from './receipts.js';
import type { Stamp, Stamps } from './stamp.js';
import type { Stream, Streams } from './streams.js';
import type { Tally } from '../measures/tally.js';

/** What the clients of one process have in common. */
export interface Crew {
  readonly options: BenchOptions;
  readonly streams: Streams;
  readonly dialer: Dialer;
  readonly frames: Frames;
  readonly stamps: Stamps;
  readonly clock: MachineClock;
  readonly tally: Tally;
  /** How what is expected begins, where nothing else begins so. */
  readonly expectedHead: string | undefined;
  /** Times of the present moment, for the line that tells how it goes. */
  recent: LatencyHistogram;
  /** When the sending begins; Infinity until that is known. */
  startAt: number;
  /** Messages that were overtaken and have not come so far. */
  gaps: number;
}

/** How many messages of each stream were sent, and which of them were not since the sender was away. */
export type Sent = ReadonlyMap<number, { readonly count: number; readonly unsent: ReadonlySet<number> }>;

/** The first attempt to come back is made within this time, each further one within twice the time before, up to the longest, ms. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 20_000;
/** How long a connection has to last until the attempts before it are forgotten, ms. */
const STABLE = 10_000;

/**
 * One client of the load: connects, joins, comes back after a loss as the client library does, sends when it is told to, and knows
 * which messages it has got.
 */
export class BenchClient {
  /** What it has of the streams of its rooms; of its own ones, where answers are measured. */
  readonly #receipts = new Map<number, Receipts>();
  readonly #openFrames = new Map<number, OpenFrame>();
  readonly #joins: readonly string[];
  readonly #rooms: readonly string[];
  /** When it was not in its rooms, ms. */
  readonly #absences: { readonly from: number; to: number }[] = [{ from: -Infinity, to: Infinity }];
  #connection: Connection | null = null;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #isLeaving = false;
  /** Whether it is in its rooms. */
  isIn = false;
  /** Whether it was in its rooms at any time. */
  wasIn = false;
  /** Whether it has ended for good. */
  isGone = false;

  constructor(
    readonly index: number,
    private readonly crew: Crew,
  ) {
    const { options, streams, frames } = crew;
    const numbers = streams.roomsOf(index);
    this.#rooms = numbers.map((room) => `${options.roomPrefix}${room + 1}`);
    const { join } = options;
    this.#joins = join ? this.#rooms.map((room, at) => frames.open(join, index, room, `${JOIN_ID}${at}`).join('')) : [];
    const heard = options.expect
      ? numbers.flatMap((room) => streams.toRoom(room)).filter(({ sender }) => sender !== index)
      : streams.ofSender(index);
    for (const stream of heard) this.#receipts.set(stream.index, new Receipts());
  }

  connect(): void {
    const { crew, index } = this;
    const dialled = crew.clock.now();
    let welcomed = dialled;
    crew.tally.counts.attempts++;
    const terms = {
      client: index,
      dialer: crew.dialer,
      frames: crew.frames,
      joins: this.#joins,
      timeout: crew.options.timeout,
      isTokenSent: crew.options.tokenTo === 'message',
    };
    const connection = (this.#connection = new Connection(terms, {
      welcomed: () => {
        welcomed = crew.clock.now();
        crew.tally.durations.connection.record(welcomed - dialled);
      },
      entered: () => {
        if (this.#joins.length > 0) crew.tally.durations.join.record(crew.clock.now() - welcomed);
        this.#entered();
      },
      received: (text) => this.#received(text),
      ended: (ending) => {
        if (this.#connection === connection) this.#ended(ending);
      },
    }));
  }

  /** Sends the next message of one of its streams, if it can. @returns whether it could */
  send(stream: Stream, number: number, due: number): boolean {
    const { clock, options, stamps, tally } = this.crew;
    if (!this.isIn || this.#connection?.isOpen !== true) {
      tally.counts.unsent++;
      return false;
    }
    const lateness = Math.max(0, clock.now() - due);
    const stamp = stamps.write(stream.index, number, Math.round(lateness * 1_000));
    const [head = '', ...parts] = this.#openFrame(stream);
    let text = head;
    // An id has a length of its own; only data is made longer.
    for (const part of parts) text += (text.endsWith('"id":"') ? stamp : stamp.padEnd(options.size, '.')) + part;
    this.#connection.send(text);
    tally.counts.sent++;
    tally.durations.lateness.record(lateness);
    return true;
  }

  /** Ends its connection; it does not come back. */
  leave(): void {
    this.#isLeaving = true;
    clearTimeout(this.#retry);
    this.#connection?.close();
    if (!this.#connection) this.isGone = true;
  }

  /** How many messages it should have got. */
  expects(sent: Sent): number {
    let expected = 0;
    for (const stream of this.wasIn ? this.#receipts.keys() : []) {
      const { count, unsent } = sent.get(stream) ?? NOTHING;
      expected += count - unsent.size;
    }
    return expected;
  }

  /** Counts what has come and what has not. */
  settle(sent: Sent): void {
    if (!this.wasIn) return;
    const { counts } = this.crew.tally;
    counts.expected += this.expects(sent);
    for (const due of this.#missing(sent)) {
      if (this.#absences.some(({ from, to }) => due >= from && due <= to)) counts.missed++;
      else counts.lost++;
    }
  }

  /** When what has not come was due. */
  *#missing(sent: Sent): Generator<number> {
    const { startAt, streams } = this.crew;
    for (const [index, receipts] of this.#receipts) {
      const stream = streams.all[index];
      const { count, unsent } = sent.get(index) ?? NOTHING;
      for (let number = 0; stream && number < count; number++) {
        if (!receipts.has(number) && !unsent.has(number)) yield startAt + streams.dueAt(stream, number);
      }
    }
  }

  #openFrame(stream: Stream): OpenFrame {
    const known = this.#openFrames.get(stream.index);
    if (known) return known;
    const { frames, options } = this.crew;
    const room = stream.room < 0 ? '' : `${options.roomPrefix}${stream.room + 1}`;
    const frame = frames.open(options.send, this.index, room, options.expect ? undefined : '{message}');
    this.#openFrames.set(stream.index, frame);
    return frame;
  }

  #entered(): void {
    const { clock, tally } = this.crew;
    const now = clock.now();
    const absence = this.#absences.at(-1);
    if (absence) absence.to = now;
    if (this.wasIn && absence) {
      tally.counts.returns++;
      tally.durations.away.record(now - absence.from);
    }
    this.isIn = this.wasIn = true;
  }

  #ended({ code, mayRetry, after }: Ending): void {
    const { clock, options, tally } = this.crew;
    this.#connection = null;
    if (this.#isLeaving) {
      this.isIn = false;
      this.isGone = true;
      return;
    }
    if (this.isIn) {
      const now = clock.now();
      if (now - (this.#absences.at(-1)?.to ?? now) >= STABLE) this.#attempts = 0;
      tally.counts.losses++;
      tally.happened('closes', code.replace(/^closed with /, ''));
      this.#absences.push({ from: now, to: Infinity });
    } else tally.happened('failures', code);
    this.isIn = false;
    this.isGone = !mayRetry || !options.reconnects;
    if (this.isGone) return;
    const window = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#attempts++);
    this.#retry = setTimeout(() => this.connect(), after + Math.random() * window);
  }

  #received(text: string): void {
    const { expect } = this.crew.options;
    if (expect) this.#pushed(text, expect);
    else this.#answered(text);
  }

  #pushed(text: string, expect: { readonly type: string; readonly action: string }): void {
    const { expectedHead, frames, stamps } = this.crew;
    const stamp = stamps.read(text);
    if (stamp.stream >= 0 && expectedHead !== undefined && text.startsWith(expectedHead)) {
      this.#take(stamp);
      return;
    }
    const frame = frames.read(text);
    if (frame?.error !== undefined) this.#refused(frame);
    else if (stamp.stream >= 0 && frame?.type === expect.type && frame.action === expect.action && !frame.isAnswer) {
      this.#take(stamp);
    }
  }

  #answered(text: string): void {
    const frame = this.crew.frames.read(text);
    if (frame?.error !== undefined) this.#refused(frame);
    else if (typeof frame?.id === 'string') this.#take(this.crew.stamps.read(frame.id));
  }

  #refused({ error = '' }: ServerFrame): void {
    this.crew.tally.happened('errors', error);
  }

  #take({ stream: index, number, lateness }: Stamp): void {
    const { crew } = this;
    const { counts, durations } = crew.tally;
    const stream = crew.streams.all[index];
    if (!stream) return;
    const receipts = this.#receipts.get(index);
    if (!receipts) {
      // What comes back to its own sender is no delivery: some applications send it, others do not.
      if (stream.sender !== this.index) counts.astray++;
      return;
    }
    const latency = crew.clock.now() - crew.startAt - crew.streams.dueAt(stream, number);
    const leftOut = receipts.take(number);
    if (leftOut === null) {
      counts.repeated++;
      return;
    }
    if (leftOut < 0) counts.outOfOrder++;
    crew.gaps += leftOut;
    counts.received++;
    durations.delivery.record(latency);
    durations.fromWrite.record(latency - lateness / 1_000);
    crew.recent.record(latency);
  }
}

const NOTHING = { count: 0, unsent: new Set<number>() };
