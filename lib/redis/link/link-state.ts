import type { FaultLog } from './fault-log.js';

/** Whether the link to Redis works: its state, its listeners and its lines in the log. */
export class LinkState {
  readonly #readyListeners: (() => void)[] = [];
  readonly #lostListeners: (() => void)[] = [];
  /** The last probe's round trip; null while the link does not work. */
  #probeMs: number | null = null;
  #failure: string | null = null;
  /** What Redis refuses or loses while the link works: sentences by topic. */
  readonly #troubles = new Map<string, string>();
  /** The lines about troubles that were logged since the link became ready. */
  readonly #logged = new Set<string>();
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

  /** Whether there is any trouble. */
  get isLimited(): boolean {
    return this.#troubles.size > 0;
  }

  onReady(listener: () => void): void {
    this.#readyListeners.push(listener);
  }

  onLost(listener: () => void): void {
    this.#lostListeners.push(listener);
  }

  /** A probe came back. */
  succeed(probeMs: number): void {
    if (this.#isClosed) return;
    const wasReady = this.isReady;
    this.#probeMs = probeMs;
    if (wasReady) return;
    this.#failure = null;
    this.#logged.clear();
    this.log.report('log', 'Redis is connected.');
    for (const listener of this.#readyListeners) listener();
  }

  /** The link does not work. */
  fail(why: Error): void {
    if (this.#isClosed) return;
    const wasReady = this.isReady;
    const isNews = wasReady || this.#failure === null;
    this.#probeMs = null;
    this.#failure = why.message;
    if (isNews) this.log.report('warn', `Redis cannot be reached: ${why.message}`);
    if (wasReady) for (const listener of this.#lostListeners) listener();
  }

  /** Something does not work while the link goes on, until it is {@link settle settled}. */
  trouble(what: string, sentence: string): void {
    this.#troubles.set(what, sentence);
    this.#logOnce('warn', sentence);
  }

  /** What was in trouble works again. */
  settle(what: string): void {
    const sentence = this.#troubles.get(what);
    if (sentence === undefined) return;
    this.#troubles.delete(what);
    this.#logOnce('log', `This is over: ${sentence}`);
  }

  /** Logs each line once until the link becomes ready again, since some troubles come and go with every command. */
  #logOnce(level: 'log' | 'warn', line: string): void {
    if (this.#isClosed || this.#logged.has(line)) return;
    this.#logged.add(line);
    this.log.report(level, line);
  }

  /** The link is closed on purpose: nothing is reported any more. */
  close(): void {
    this.#isClosed = true;
    this.#probeMs = null;
  }
}
