import type { WebSocketSubscriberHandlerContext } from '../subscriber.interface.js';
import { hostOf } from '../handler-host.js';

/** How many channels are remembered, since their names may be made of users' data. The oldest is forgotten first. */
const MAX_CHANNELS = 10_000;

interface Kept<State> {
  readonly state: State;
  readonly endsAt: number;
}

/** What a utility remembers of each channel for a limited time, separately for each application that runs it. */
export class ChannelStates<State> {
  readonly #byOwner = new WeakMap<object, Map<string, Kept<State>>>();

  /** @param ttl how long a state is remembered after it was set, in ms */
  constructor(private readonly ttl: number) {}

  get(context: WebSocketSubscriberHandlerContext): State | undefined {
    const kept = this.#of(context).get(context.channel);
    return kept && kept.endsAt > hostOf(context).runtime.monotonic() ? kept.state : undefined;
  }

  set(context: WebSocketSubscriberHandlerContext, state: State): void {
    const states = this.#of(context);
    const now = hostOf(context).runtime.monotonic();
    // Moving it to the end keeps the map in the order in which states expire.
    states.delete(context.channel);
    states.set(context.channel, { state, endsAt: now + this.ttl });
    for (const [channel, { endsAt }] of states) {
      if (endsAt > now && states.size <= MAX_CHANNELS) break;
      states.delete(channel);
    }
  }

  delete(context: WebSocketSubscriberHandlerContext): void {
    this.#of(context).delete(context.channel);
  }

  /** How many channels are remembered for the context's application. */
  sizeFor(context: WebSocketSubscriberHandlerContext): number {
    return this.#of(context).size;
  }

  #of(context: WebSocketSubscriberHandlerContext): Map<string, Kept<State>> {
    const { owner } = hostOf(context);
    let states = this.#byOwner.get(owner);
    if (!states) this.#byOwner.set(owner, (states = new Map<string, Kept<State>>()));
    return states;
  }
}
