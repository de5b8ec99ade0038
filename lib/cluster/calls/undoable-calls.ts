import type { Runtime, RuntimeTimer } from '../../runtime/runtime.js';

/** How long what undoes a call is kept, in ms: long after its caller has the answer, or has given up waiting for it. */
const KEPT = 5_000;

/** What undoes the calls that this worker has carried out for others, should they not have heard of it in time. */
export class UndoableCalls {
  readonly #calls = new Map<string, { readonly undo: () => void; readonly timer: RuntimeTimer }>();

  constructor(private readonly runtime: Runtime) {}

  /**
   * @param id of the call, as its origin names it
   * @param stay told when it will not be undone any more
   */
  keep(origin: string, id: unknown, undo: () => void, stay: () => void): void {
    const key = keyOf(origin, id);
    const timer = this.runtime.timeout(KEPT, () => {
      this.#calls.delete(key);
      stay();
    });
    this.#calls.set(key, { undo, timer });
  }

  has(origin: string, id: unknown): boolean {
    return this.#calls.has(keyOf(origin, id));
  }

  /** Undoes a call, once; does nothing for one that is not known. */
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
