import type { WebSocketSubscriberHandlerContext } from '../interfaces/subscriber.interface.js';
import { ChannelStates } from './channel-states.js';
import { checkWhole } from './utility-checks.js';

/** At most `max` events of a channel in a window, which begins with the first of them. */
export class ChannelRate {
  readonly #windows: ChannelStates<{ uses: number }>;

  /** @param what who asks, for messages */
  constructor(
    what: string,
    private readonly max: number,
    windowMs: number,
  ) {
    checkWhole(`${what}: max`, max, 1);
    checkWhole(`${what}: windowMs`, windowMs, 1);
    this.#windows = new ChannelStates(windowMs);
  }

  /** Counts the event; false when it is one too many. */
  allows(context: WebSocketSubscriberHandlerContext): boolean {
    const window = this.#windows.get(context);
    if (!window) this.#windows.set(context, { uses: 1 });
    else if (window.uses >= this.max) return false;
    else window.uses++;
    return true;
  }
}
