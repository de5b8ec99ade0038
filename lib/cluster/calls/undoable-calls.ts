import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** Milliseconds that an undo is kept: long after the caller got the answer or gave up waiting for it. */
const KEPT = 5_000;

/** How to undo the calls that this worker carried out for others, in case the answer came too late. */
export class UndoableCalls {
  readonly #calls = new Map<string, { readonly undo: () => void; readonly timer: RuntimeTimer }>();

  constructor(private readonly runtime: Runtime) {}

  /**
   * Keeps an undo for five seconds.
   *
   * @param origin the calling worker
   * @param id the call's id, as its origin named it
   * @param settled called when the time is over: the call will not be undone any more
   */
  keep(origin: string, id: unknown, undo: () => void, settled: () => void): void {
    const key = keyOf(origin, id);
    const timer = this.runtime.timeout(KEPT, () => {
      this.#calls.delete(key);
      settled();
    });
    this.#calls.set(key, { undo, timer });
  }

  has(origin: string, id: unknown): boolean {
    return this.#calls.has(keyOf(origin, id));
  }

  /** Undoes a call once; does nothing for an unknown call. */
  undo(origin: string, id: unknown): void {
    const key = keyOf(origin, id);
    const call = this.#calls.get(key);
    this.#calls.delete(key);
    call?.timer.cancel();
    call?.undo();
  }
}

function keyOf(origin: string, id: unknown): string {
  return `${origin} ${String(id)}`;
}
