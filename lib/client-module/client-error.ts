import { WebSocketClientError } from '../client/websocket-client.error.js';
import { isError, isInstanceOf } from '../errors/as-error.js';

/**
 * Returns what was thrown as the client's error, or undefined when it is something else. The error of a second copy of the
 * package, or of the bundle for pages, is of another class, and is recognised by its name. Never throws.
 */
export function clientErrorOf(thrown: unknown): WebSocketClientError | undefined {
  if (isInstanceOf(thrown, WebSocketClientError)) return thrown;
  if (!isError(thrown)) return undefined;
  try {
    const {
      name,
      message,
      code,
      retryable,
      details,
      closeCode,
    }: Error & Partial<Record<keyof WebSocketClientError, unknown>> = thrown;
    if (name !== 'WebSocketClientError' || typeof code !== 'string') return undefined;
    return new WebSocketClientError(code, message, {
      retryable: retryable === true,
      details,
      closeCode: typeof closeCode === 'number' ? closeCode : undefined,
      cause: thrown,
    });
  } catch {
    return undefined; // reading its properties throws
  }
}
