import { WsError } from '../../errors/ws.error.js';

/** What a call is answered while Redis cannot be reached, or does not answer it: nobody knows whether it was carried out. */
export function unavailable(cause: Error | null): WsError {
  return new WsError('UNAVAILABLE', 'Redis cannot be reached at the moment.', { cause });
}

/** The failure of a message: whoever sends one need not tell what Redis says no to from a Redis that cannot be reached. */
export function unpublished(failure: unknown): Error {
  return isReply(failure) ? unavailable(bare(failure)) : (failure as Error);
}

/** Whether Redis itself said no, rather than nobody having answered. */
export function isReply(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'ReplyError';
}

/** Whether another node of the cluster would have to be asked. */
export function isMoved(error: unknown): boolean {
  return isReply(error) && bare(error).message.startsWith('MOVED ');
}

/**
 * Whether a cluster did not carry a command out since it is just changing: the slot of its key is moving, has moved, or
 * has no master for a moment. Nothing has been done, and it may be tried again.
 */
export function isInMotion(error: unknown): boolean {
  const { message } = bare(error);
  // ioredis gives up after a few of these by itself.
  if (message.startsWith('Too many Cluster redirections.')) return true;
  return isReply(error) && /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /.test(message);
}

/** Whether the server is a replica, which takes no writes. */
export function isReadOnly(error: unknown): boolean {
  // Older servers wrap what a script has met.
  return isReply(error) && /(?:^|-)READONLY /.test(bare(error).message);
}

/** Whether ioredis gave a command up. Its text is all that ioredis tells about it. */
export function isTimeout(error: unknown): boolean {
  return (error as { message?: unknown } | null)?.message === 'Command timed out';
}

/**
 * Why a connection has ended before Redis answered anything on it, where TLS may be the reason: that a server and who
 * connects disagree about it shows on neither side.
 *
 * @param failure what it ended with; null: the server has closed it
 * @param hasTls whether we speak TLS
 * @param ms that it had
 */
export function unanswered(failure: Error | null, hasTls: boolean, ms: number): Error {
  const { message } = failure ?? new Error('The connection was closed.');
  if (hasTls && message.includes('ETIMEDOUT')) {
    return new Error(
      `There was no TLS connection within ${ms} ms: the server is away, or its port has no TLS (redis:// instead of rediss://).`,
    );
  }
  // A server without TLS that ends the connection has said why; TLS' own refusal begins with this byte.
  const isTlsLikely = !hasTls && (!failure || /ECONNRESET|EPIPE|got "\\u0015"/.test(message));
  return isTlsLikely
    ? new Error(`${message} Does the port speak TLS (rediss:// instead of redis://)?`)
    : new Error(message);
}

/** The failure without what ioredis hangs on it: the arguments of a refused AUTH are a password. */
export function bare(failure: unknown): Error {
  const { message } = failure as { message?: unknown };
  return new Error(typeof message === 'string' ? message : 'The connection failed.');
}

/** An answer came that belongs to another command, as all later ones would on this connection. */
export function outOfStep(): Error {
  return new Error('An answer of Redis belongs to another command.');
}
