import { routeKey, SYSTEM_TYPE } from '../protocol/route-key.js';
import type { ClientMessage } from './client-codec.interface.js';
import type { CallFrame } from './server-frame.js';
import type { OnFailed, Unsubscribe } from './listeners.js';
import { WebSocketClientError } from './websocket-client.error.js';

/** Answers a request of the server with what it returns. */
export type CallHandler = (data: unknown) => unknown;

/** Who answers what the server asks. */
export class CallHandlers {
  readonly #failed: OnFailed;
  readonly #handlers = new Map<string, CallHandler>();

  /** @param failed what a handler threw that was meant for nobody */
  constructor(failed: OnFailed) {
    this.#failed = failed;
  }

  /** @throws WebSocketClientError CONFLICT when somebody answers it already */
  add(type: string, action: string, handler: CallHandler): Unsubscribe {
    const key = routeKey(type, action);
    if (this.#handlers.has(key)) {
      throw new WebSocketClientError('CONFLICT', `${key} has a handler already.`);
    }
    this.#handlers.set(key, handler);
    return () => {
      if (this.#handlers.get(key) === handler) this.#handlers.delete(key);
    };
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
      const handler = this.#handlers.get(routeKey(type, action));
      if (!handler) throw new WebSocketClientError('UNKNOWN_ROUTE', 'There is no handler.');
      const response = (await handler(data)) ?? null;
      // Beside other fields, what has no JSON form would be left out without a word.
      if (!JSON.stringify(response)) throw new TypeError('The answer has no JSON form.');
      say({ response });
    } catch (error) {
      say({ error: this.#refusalOf(error) });
    }
  }

  /** What a handler refuses with is told; what else it throws is not. */
  #refusalOf(error: unknown): { code: string; message: string } {
    if (error instanceof WebSocketClientError) return { code: error.code, message: error.message };
    this.#failed(error);
    return { code: 'INTERNAL', message: 'The handler failed.' };
  }
}
