import { WebSocketClientError } from '../client/websocket-client.error.js';
import { isError, isInstanceOf } from '../errors/as-error.js';

/**
 * The error of a client that something thrown is; undefined where it is none. That of a second copy of the package, or of
 * the single file for pages, is of another class, and known by its name. Never throws.
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
    return undefined; // its own properties throw
  }
}
