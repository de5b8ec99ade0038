import { routeKey } from '../protocol/route-key.js';
import { Listeners, type OnFailed, type Unsubscribe } from './listeners.js';
import type { PushFrame } from './server-frame.js';

/** What the server said unasked, as handlers get it beside its data. */
export interface PushedMessage {
  readonly type: string;
  readonly action: string;
  readonly data: unknown;
  /** The room that it was sent to, where the server names rooms (`rooms.named`) and it was sent to a room. */
  readonly room?: string | undefined;
}

/** Takes the data of a message, and the message. */
export type PushHandler = (data: unknown, message: PushedMessage) => unknown;

/** Stands for all routes; no route has an empty key. */
const ALL = '';

/** Who hears what the server says unasked. Nothing of it belongs to a connection: a reconnect changes nothing. */
export class PushHandlers {
  readonly #byRoute = new Map<string, Listeners<Parameters<PushHandler>>>();
  readonly #failed: OnFailed;

  constructor(failed: OnFailed) {
    this.#failed = failed;
  }

  add(type: string, action: string, handler: PushHandler): Unsubscribe {
    return this.#add(routeKey(type, action), handler);
  }

  addForAll(handler: (message: PushedMessage) => unknown): Unsubscribe {
    return this.#add(ALL, (_data, message) => handler(message));
  }

  dispatch({ id, type, action, data, room }: PushFrame): void {
    for (const key of [id, ALL]) this.#byRoute.get(key)?.call(data, { type, action, data, room });
  }

  #add(key: string, handler: PushHandler): Unsubscribe {
    const handlers = this.#byRoute.get(key) ?? new Listeners(this.#failed);
    this.#byRoute.set(key, handlers);
    const remove = handlers.add(handler);
    return () => {
      remove();
      if (this.#byRoute.get(key)?.isEmpty) this.#byRoute.delete(key);
    };
  }
}
