import type { FaultLog } from './fault-log.js';

/** Whether the link to Redis works: for those who ask, for those who want to be called, and for the log. */
export class LinkState {
  readonly #readyListeners: (() => void)[] = [];
  readonly #lostListeners: (() => void)[] = [];
  /** Null: it does not work. */
  #probeMs: number | null = null;
  #lastError: string | null = null;
  readonly #refusals = new Set<string>();
  #isClosed = false;

  constructor(private readonly log: FaultLog) {}

  get isReady(): boolean {
    return this.#probeMs !== null;
  }

  get probeMs(): number | null {
    return this.#probeMs;
  }

  get lastError(): string | null {
    return this.#lastError;
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
    this.#lastError = null;
    this.#refusals.clear();
    this.log.report('log', 'Redis is connected.');
    for (const listener of this.#readyListeners) listener();
  }

  /** Something that it needs does not work. */
  fail(why: Error): void {
    if (this.#isClosed) return;
    const wasReady = this.isReady;
    const isNews = wasReady || this.#lastError === null;
    this.#probeMs = null;
    this.#lastError = why.message;
    if (isNews) this.log.report('warn', `Redis cannot be reached: ${why.message}`);
    if (wasReady) for (const listener of this.#lostListeners) listener();
  }

  /** Redis does not allow something, and the rest goes on. Said once, until the link is ready anew. */
  refuse(what: string, why: Error): void {
    this.#lastError = `Redis refuses ${what}: ${why.message}`;
    if (this.#refusals.has(this.#lastError)) return;
    this.#refusals.add(this.#lastError);
    this.log.report('warn', this.#lastError);
  }

  /** It is given up: whatever follows is no news. */
  close(): void {
    this.#isClosed = true;
    this.#probeMs = null;
  }
}
