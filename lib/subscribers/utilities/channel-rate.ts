import type { WebSocketSubscriberHandlerContext } from '../subscriber.interface.js';
import { ChannelStates } from './channel-states.js';
import { checkWhole } from './utility-checks.js';

/** Allows at most `max` events of a channel within a window, which begins with the first of them. */
export class ChannelRate {
  readonly #windows: ChannelStates<{ uses: number }>;

  /** @param what the utility that uses it, for the messages of errors */
  constructor(
    what: string,
    private readonly max: number,
    windowMs: number,
  ) {
    checkWhole(`${what}: max`, max, 1);
    checkWhole(`${what}: windowMs`, windowMs, 1);
    this.#windows = new ChannelStates(windowMs);
  }

  /** Counts the event; returns false when it is above the rate. */
  allows(context: WebSocketSubscriberHandlerContext): boolean {
    const window = this.#windows.get(context);
    if (!window) this.#windows.set(context, { uses: 1 });
    else if (window.uses >= this.max) return false;
    else window.uses++;
    return true;
  }
}
