import type { FaultLog } from './fault-log.js';

/** Whether the link to Redis works: for those who ask, for those who want to be called, and for the log. */
export class LinkState {
  readonly #readyListeners: (() => void)[] = [];
  readonly #lostListeners: (() => void)[] = [];
  /** Null: it does not work. */
  #probeMs: number | null = null;
  #failure: string | null = null;
  /** What Redis refuses or loses while the link works, by what it concerns. */
  readonly #troubles = new Map<string, string>();
  /** What of it the log knows, until the link is ready anew. */
  readonly #told = new Set<string>();
  #isClosed = false;

  constructor(private readonly log: FaultLog) {}

  get isReady(): boolean {
    return this.#probeMs !== null;
  }

  get probeMs(): number | null {
    return this.#probeMs;
  }

  get lastError(): string | null {
    return this.#failure ?? [...this.#troubles.values()].at(-1) ?? null;
  }

  /** Whether Redis refuses or loses something of ours. */
  get isLimited(): boolean {
    return this.#troubles.size > 0;
  }

  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
  }

  onLost(listener: () => void): void {
    this.#lostListeners.push(listener);
  }

  /** A probe came back after so many ms. */
  succeed(probeMs: number): void {
    if (this.#isClosed) return;
    const wasReady = this.isReady;
    this.#probeMs = probeMs;
    if (wasReady) return;
    this.#failure = null;
    this.#told.clear();
    this.log.report('log', 'Redis is connected.');
    for (const listener of this.#readyListeners) listener();
  }

  /** Something that it needs does not work. */
  fail(why: Error): void {
    if (this.#isClosed) return;
    const wasReady = this.isReady;
    const isNews = wasReady || this.#failure === null;
    this.#probeMs = null;
    this.#failure = why.message;
    if (isNews) this.log.report('warn', `Redis cannot be reached: ${why.message}`);
    if (wasReady) for (const listener of this.#lostListeners) listener();
  }

  /** Something does not work, and the rest goes on, until it is {@link settle settled}. */
  trouble(what: string, sentence: string): void {
    this.#troubles.set(what, sentence);
    this.#tell('warn', sentence);
  }

  /** It works again. */
  settle(what: string): void {
    const sentence = this.#troubles.get(what);
    if (sentence === undefined) return;
    this.#troubles.delete(what);
    this.#tell('log', `This is over: ${sentence}`);
  }

  /** Each line once, until the link is ready anew: some trouble comes and goes with every command. */
  #tell(level: 'log' | 'warn', line: string): void {
    if (this.#isClosed || this.#told.has(line)) return;
    this.#told.add(line);
    this.log.report(level, line);
  }

  /** It is given up: whatever follows is no news. */
  close(): void {
    this.#isClosed = true;
    this.#probeMs = null;
  }
}
