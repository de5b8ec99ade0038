import type { WebSocketClient } from '../client/websocket-client.js';
import { asError, isReadable } from '../errors/as-error.js';
import type { ClientLog } from './client.log.js';

type Ask = (...args: never[]) => Promise<unknown>;
type Answer = Parameters<WebSocketClient['handle']>[2];

/** The methods that return promises which an application may leave unawaited. */
const ASKING = ['connect', 'connectToServer', 'request', 'join', 'leave', 'setPresence', 'history', 'refresh'] as const;

/**
 * Prepares a client for use in an application, whose process must not end by an unhandled rejection: failures of promises
 * that nobody awaits go to the log, and what handlers throw is made readable. The client itself does not do this, since
 * neither ends a page.
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

/** Wraps a callback of the application so that whatever it throws is a readable error. */
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
