/** Something that was sent to a client. */
export interface Sent {
  /** Rises with each thing that is sent in a story. */
  readonly number: number;
  /** Who sent it on which way: what is of one stream arrives in its order. */
  readonly stream: string;
  readonly sentAt: number;
  /** Milliseconds for which it may wait; undefined where that says nothing of when it arrives. */
  readonly window: number | undefined;
  /** Of messages with one key only the newest has to arrive. */
  readonly key?: string;
  mayBeMissing: boolean;
}

/** What happened to a client: a thing came, an answer, or the end. */
type Arrival =
  | { readonly number: number; readonly at: number }
  | { readonly answer: number; readonly behind: number }
  | { readonly code: number };

/** What is late: a window is kept at twice its value. */
export interface TimeBounds {
  /** For how many ms the process stood still between two moments. */
  readonly stalled: (from: number, until: number) => number;
  readonly maxWindow: number;
  /** Milliseconds for everything else, where the process did not stand still, and where it did. */
  readonly slack: readonly [calm: number, stalled: number];
}

/** Milliseconds for which windows may still be long behind a stall. */
const GROWN = 2_000;

/** What one client was sent, and what it got. */
export class DeliveryLedger {
  readonly sent: Sent[] = [];
  readonly arrivals: Arrival[] = [];
  /** What it has asked, in order. */
  readonly asked: number[] = [];
  /** Code with which the server closed it. */
  closedWith: number | undefined;
  /** Whether what leaves arrives at once: false for who has stopped reading for a while, and for what threads work on. */
  isPrompt = true;
  /** When each thing came. */
  readonly #got = new Map<number, number>();

  readonly #mangled: number[] = [];

  constructor(readonly name: string) {}

  expect(sent: Sent): void {
    if (this.closedWith === undefined) this.sent.push(sent);
  }

  get lastNumber(): number {
    return this.sent.at(-1)?.number ?? 0;
  }

  /** @param isWhole whether it has the length that it says */
  got(number: number, at: number, isWhole: boolean): void {
    if (!isWhole) this.#mangled.push(number);
    this.arrivals.push({ number, at });
    this.#got.set(number, at);
  }

  answered(answer: number, behind: number): void {
    this.arrivals.push({ answer, behind });
  }

  ended(code: number): void {
    this.arrivals.push({ code });
  }

  /** The server closes it. What is on its way by other processes may come too late. */
  closes(code: number, isOnItsWay: (sent: Sent) => boolean): void {
    this.closedWith = code;
    for (const sent of this.sent) if (isOnItsWay(sent) && !this.#got.has(sent.number)) sent.mayBeMissing = true;
  }

  /** Whether it has everything that has to come, and the end where it is closed. */
  get isComplete(): boolean {
    if (this.closedWith !== undefined) return this.arrivals.some((arrival) => 'code' in arrival);
    const answers = this.arrivals.filter((arrival) => 'answer' in arrival).length;
    return answers === this.asked.length && this.missing().length === 0;
  }

  /** What has not come and has to. */
  missing(): Sent[] {
    return this.sent.filter((sent) => !this.#got.has(sent.number) && !sent.mayBeMissing && !this.#gaveWay(sent));
  }

  /** Whether something newer with the same key takes its place: of its own stream, or of another one that came behind it. */
  #gaveWay({ key, stream, number, sentAt }: Sent): boolean {
    if (key === undefined) return false;
    return this.sent.some((other) => {
      if (other.key !== key || other.number === number) return false;
      return other.stream === stream ? other.number > number : (this.#got.get(other.number) ?? 0) >= sentAt;
    });
  }

  /** What went wrong, in sentences. */
  faults(bounds: TimeBounds): string[] {
    return [
      ...this.missing().map(({ number, stream }) => `${number} (${stream}) is missing`),
      ...this.#mangled.map((number) => `${number} is not whole`),
      ...this.#orderFaults(),
      ...this.#answerFaults(),
      ...(this.isPrompt ? this.#lateFaults(bounds) : []),
      ...this.#closeFaults(),
    ].map((fault) => `${this.name}: ${fault}`);
  }

  #orderFaults(): string[] {
    const faults: string[] = [];
    const sent = new Map(this.sent.map((one) => [one.number, one]));
    const last = new Map<string, number>();
    for (const arrival of this.arrivals) {
      if (!('number' in arrival)) continue;
      const { number } = arrival;
      const stream = sent.get(number)?.stream;
      if (stream === undefined) {
        faults.push(`${number} was not for it, or was sent behind the close`);
        continue;
      }
      const before = last.get(stream) ?? 0;
      if (number <= before) faults.push(`${number} came behind ${before} (${stream})`);
      last.set(stream, Math.max(before, number));
    }
    return faults;
  }

  /** An answer comes behind all that its handler's worker had sent before. */
  #answerFaults(): string[] {
    const faults: string[] = [];
    const had = new Set<number>();
    const answers: number[] = [];
    for (const arrival of this.arrivals) {
      if ('number' in arrival) had.add(arrival.number);
      if (!('answer' in arrival)) continue;
      const { answer, behind } = arrival;
      answers.push(answer);
      for (const { number, stream, mayBeMissing, key } of this.sent) {
        if (stream !== OWN_WORKER || number > behind || mayBeMissing || key !== undefined) continue;
        if (!had.has(number)) faults.push(`the answer to ${answer} came before ${number}`);
      }
    }
    const asked = this.asked.slice(0, answers.length);
    if (answers.join() !== asked.join()) faults.push(`the answers to ${asked.join()} came as ${answers.join()}`);
    return faults;
  }

  #lateFaults({ stalled, maxWindow, slack }: TimeBounds): string[] {
    const faults: string[] = [];
    const sent = new Map(this.sent.map((one) => [one.number, one]));
    for (const arrival of this.arrivals) {
      if (!('number' in arrival)) continue;
      const { sentAt, window, stream } = sent.get(arrival.number) ?? {};
      if (sentAt === undefined || !window) continue; // without a window nothing is promised
      const took = arrival.at - sentAt;
      const stall = stalled(sentAt, arrival.at);
      // Windows grow while the process does not keep up, and for some windows behind that.
      const mayHaveGrown = stalled(sentAt - GROWN, arrival.at) > 0;
      const longest = mayHaveGrown ? Math.max(window, maxWindow) : window;
      if (took > 2 * longest + stall + slack[stall > 0 ? 1 : 0]) {
        const parts = `window ${longest}, ${Math.round(stall)} ms of stalls`;
        faults.push(`${arrival.number} (${stream}) took ${Math.round(took)} ms (${parts})`);
      }
    }
    return faults;
  }

  #closeFaults(): string[] {
    const at = this.arrivals.findIndex((arrival) => 'code' in arrival);
    if (at < 0) return this.closedWith === undefined ? [] : ['it was never closed'];
    const { code } = this.arrivals[at] as { code: number };
    if (code !== this.closedWith) return [`it was closed with ${code}, not ${this.closedWith}`];
    return at === this.arrivals.length - 1 ? [] : ['something came behind the close'];
  }
}

/** The stream of what a client's own worker sends, but for rooms with history. */
export const OWN_WORKER = 'own worker';
