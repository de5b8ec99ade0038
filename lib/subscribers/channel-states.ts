import type { WebSocketSubscriberHandlerContext } from '../interfaces/subscriber.interface.js';
import { hostOf } from './handler-host.js';

/** Channels that are remembered at once: their names may be made of users' data. For a new one the oldest is forgotten. */
const MOST = 10_000;

interface Kept<State> {
  readonly state: State;
  readonly endsAt: number;
}

/** What a utility remembers of each channel, for a time; apart for each application that runs it. */
export class ChannelStates<State> {
  readonly #byOwner = new WeakMap<object, Map<string, Kept<State>>>();

  /** @param ttl ms that a state is remembered after it was set */
  constructor(private readonly ttl: number) {}

  get(context: WebSocketSubscriberHandlerContext): State | undefined {
    const kept = this.#of(context).get(context.channel);
    return kept && kept.endsAt > hostOf(context).runtime.monotonic() ? kept.state : undefined;
  }

  set(context: WebSocketSubscriberHandlerContext, state: State): void {
    const states = this.#of(context);
    const now = hostOf(context).runtime.monotonic();
    // At the end of the map, so that it is in the order in which the states end.
    states.delete(context.channel);
    states.set(context.channel, { state, endsAt: now + this.ttl });
    for (const [channel, { endsAt }] of states) {
      if (endsAt > now && states.size <= MOST) break;
      states.delete(channel);
    }
  }

  delete(context: WebSocketSubscriberHandlerContext): void {
    this.#of(context).delete(context.channel);
  }

  /** How many channels the application of the context has here. */
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
