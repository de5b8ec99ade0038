import type { Runtime } from '../runtime/runtime.js';
import { SlidingSecond } from '../runtime/sliding-second.js';

/** Lines in a second; a fault that strikes a thousand times would otherwise drown the log that is to explain it. */
const MOST = 5;
/** Equal ones among them, so that a frequent line leaves room for others. */
const MOST_EQUAL = 2;
/** How many lines are told apart; further ones share a budget. */
const KINDS = 1_000;

interface Kind {
  readonly budget: SlidingSecond;
  held: number;
}

/** Lets through a few lines a second, and counts the others. */
export class LogLimiter {
  readonly #kinds = new Map<string, Kind>();
  readonly #budget: SlidingSecond;

  constructor(private readonly runtime: Runtime) {
    this.#budget = new SlidingSecond(MOST, runtime);
  }

  /** Whether this line may be logged now; if so, how many equal ones were held back since the last one. */
  admit(line: string): { readonly heldBack: number } | null {
    const kind = this.#kindOf(line);
    if (kind.budget.isSpent || this.#budget.isSpent) {
      kind.held++;
      return null;
    }
    kind.budget.take();
    this.#budget.take();
    const heldBack = kind.held;
    kind.held = 0;
    return { heldBack };
  }

  #kindOf(line: string): Kind {
    const key = this.#kinds.has(line) || this.#kinds.size < KINDS ? line : '';
    let kind = this.#kinds.get(key);
    if (!kind) this.#kinds.set(key, (kind = { budget: new SlidingSecond(MOST_EQUAL, this.runtime), held: 0 }));
    return kind;
  }
}
