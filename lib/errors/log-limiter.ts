import type { Runtime } from '../runtime/runtime.js';
import { SlidingSecond } from '../runtime/sliding-second.js';

/** How many lines of one kind are logged per second, so that a fault that happens a thousand times does not flood the log. */
const MOST = 5;
/** How many kinds are told apart; further ones share a budget. */
const KINDS = 1_000;

interface Kind {
  readonly budget: SlidingSecond;
  held: number;
}

/** Lets through a few lines of each kind a second, and counts the others. */
export class LogLimiter {
  readonly #kinds = new Map<string, Kind>();

  constructor(private readonly runtime: Runtime) {}

  /** Whether a line of this kind may be logged now; if so, how many were held back since the last one. */
  admit(name: string): { readonly heldBack: number } | null {
    const kind = this.#kindOf(name);
    if (kind.budget.isSpent) {
      kind.held++;
      return null;
    }
    kind.budget.take();
    const heldBack = kind.held;
    kind.held = 0;
    return { heldBack };
  }

  #kindOf(name: string): Kind {
    const key = this.#kinds.has(name) || this.#kinds.size < KINDS ? name : '';
    let kind = this.#kinds.get(key);
    if (!kind) this.#kinds.set(key, (kind = { budget: new SlidingSecond(MOST, this.runtime), held: 0 }));
    return kind;
  }
}
