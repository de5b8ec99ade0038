import type { WebSocketClient } from '../client/websocket-client.js';
import { asError, isReadable } from '../errors/as-error.js';
import type { ClientLog } from './client.log.js';

type Ask = (...args: never[]) => Promise<unknown>;
type Answer = Parameters<WebSocketClient['handle']>[2];

/** The methods whose promises an application may leave alone. */
const ASKING = ['connect', 'connectToServer', 'request', 'join', 'leave', 'refresh'] as const;

/**
 * Makes a client one for an application, whose process must not end by it: a promise that nobody waits for is told where it
 * fails, and what handlers throw can be read. In a page neither ends anything, so the client itself does not do this.
 */
export function forApplication(client: WebSocketClient, log: ClientLog): WebSocketClient {
  for (const name of ASKING) {
    const ask: Ask = client[name].bind(client);
    replace(client, name, (...args: never[]) => log.watch(name, () => ask(...args)));
  }
  const stream: (...args: never[]) => AsyncIterableIterator<unknown, undefined> = client.stream.bind(client);
  replace(client, 'stream', (...args: never[]) => {
    const answers = stream(...args);
    const next = answers.next.bind(answers);
    return replace(answers, 'next', () => log.watch('stream', next));
  });
  const handle = client.handle.bind(client);
  replace(client, 'handle', (type: string, action: string, handler: Answer) =>
    handle(type, action, typeof handler === 'function' ? readably(handler) : handler),
  );
  return client;
}

/** A callback of the application whose failure can be read, whatever it throws. */
export function readably<Args extends unknown[], Result>(
  callback: (...args: Args) => Result | Promise<Result>,
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    try {
      return await callback(...args);
    } catch (error) {
      throw isReadable(error) ? error : asError(error);
    }
  };
}

function replace<T extends object>(target: T, name: keyof T, value: unknown): T {
  return Object.defineProperty(target, name, { value, configurable: true, writable: true });
}
