import { routeKey, SYSTEM_TYPE } from '../protocol/route-key.js';
import type { ClientMessage } from './client-codec.interface.js';
import type { CallFrame } from './server-frame.js';
import { Listeners, type OnFailed, type Unsubscribe } from './listeners.js';
import { WebSocketClientError } from './websocket-client.error.js';

/** Answers a request of the server with what it returns. */
export type CallHandler = (data: unknown) => unknown;

/** Who answers what the server asks. */
export class CallHandlers {
  readonly #failed: OnFailed;
  readonly #handlers: Listeners<[data: unknown]>;

  /** @param failed what a handler threw that was meant for nobody */
  constructor(failed: OnFailed) {
    this.#failed = failed;
    this.#handlers = new Listeners(failed);
  }

  /** @throws WebSocketClientError CONFLICT when somebody answers it already */
  add(type: string, action: string, handler: CallHandler): Unsubscribe {
    const key = routeKey(type, action);
    if (this.#handlers.of(key).length) throw new WebSocketClientError('CONFLICT', `${key} has a handler already.`);
    return this.#handlers.add(key, handler);
  }

  /**
   * Answers a call, whatever its handler does.
   *
   * @param send sends the answer; throws for one that is too large: then another one says so
   */
  async answer({ type, action, data, callId }: CallFrame, send: (answer: ClientMessage) => unknown): Promise<void> {
    const say = (outcome: object): unknown =>
      send({ type: SYSTEM_TYPE, action: 'answer', data: { callId, ...outcome } });
    try {
      const [handler] = this.#handlers.of(routeKey(type, action));
      if (!handler) throw new WebSocketClientError('UNKNOWN_ROUTE', 'There is no handler.');
      const response = (await handler(data)) ?? null;
      // Beside other fields, what has no JSON form would be left out without a word.
      if (!JSON.stringify(response)) throw new TypeError('The answer has no JSON form.');
      say({ response });
    } catch (error) {
      // What a handler refuses with is told; what else it throws is not.
      const isTold = error instanceof WebSocketClientError;
      if (!isTold) this.#failed(error);
      const { code, message } = isTold ? error : new WebSocketClientError('INTERNAL', 'The handler failed.');
      say({ error: { code, message } });
    }
  }
}
