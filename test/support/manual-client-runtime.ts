import type { RuntimeTimer } from '../../lib/runtime/runtime.js';
import { ManualRuntime } from './manual-runtime.js';

/** The client's clock, which stands still until a test turns it, and its chance, which a test chooses. */
export class ManualClientRuntime extends ManualRuntime {
  /** What `random` gives. */
  chance = 0.5;

  override timeout(ms: number, callback: () => void): RuntimeTimer {
    // A real one that is set for ever is no timer either.
    return ms < 2 ** 31 ? super.timeout(ms, callback) : { cancel: () => undefined };
  }

  override random(): number {
    return this.chance;
  }
}
