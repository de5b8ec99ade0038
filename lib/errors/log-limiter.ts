import type { Runtime } from '../runtime/runtime.js';

/** Equal lines of one second; a fault that strikes a thousand times would otherwise drown the log that is to explain it. */
const MOST = 8;
/** How many lines are told apart; further ones share a budget. */
const KINDS = 1_000;

interface Budget {
  second: number;
  lines: number;
  held: number;
}

/** Lets through a few equal lines a second, and counts the others. */
export class LogLimiter {
  readonly #budgets = new Map<string, Budget>();

  constructor(private readonly runtime: Runtime) {}

  /** Whether this line may be logged now; if so, how many were held back since the last one. */
  admit(line: string): { readonly heldBack: number } | null {
    const budget = this.#budgetOf(line);
    const second = Math.floor(this.runtime.monotonic() / 1_000);
    if (second !== budget.second) {
      budget.second = second;
      budget.lines = 0;
    }
    if (budget.lines >= MOST) {
      budget.held++;
      return null;
    }
    budget.lines++;
    const heldBack = budget.held;
    budget.held = 0;
    return { heldBack };
  }

  #budgetOf(line: string): Budget {
    const key = this.#budgets.has(line) || this.#budgets.size < KINDS ? line : '';
    let budget = this.#budgets.get(key);
    if (!budget) this.#budgets.set(key, (budget = { second: -1, lines: 0, held: 0 }));
    return budget;
  }
}
