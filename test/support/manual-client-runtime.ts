import { ManualRuntime } from './manual-runtime.js';

/** The client's clock, which stands still until a test turns it, and its chance, which a test chooses. */
export class ManualClientRuntime extends ManualRuntime {
  /** What `random` gives. */
  chance = 0.5;

  override random(): number {
    return this.chance;
  }
}
