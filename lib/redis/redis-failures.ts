import { WsError } from '../errors/ws.error.js';

/** What a call is answered while Redis cannot be reached, or does not answer it: nobody knows whether it was carried out. */
export function unavailable(cause: Error | null): WsError {
  return new WsError('UNAVAILABLE', 'Redis cannot be reached at the moment.', { cause });
}

/** Whether Redis itself said no, rather than nobody having answered. */
export function isReply(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'ReplyError';
}

/** Whether another node of the cluster would have to be asked. */
export function isMoved(error: unknown): boolean {
  return isReply(error) && bare(error).message.startsWith('MOVED ');
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

/** The failure without what ioredis hangs on it: the arguments of a refused AUTH are a password. */
export function bare(failure: unknown): Error {
  const { message } = failure as { message?: unknown };
  return new Error(typeof message === 'string' ? message : 'The connection failed.');
}

/** An answer came that belongs to another command, as all later ones would on this connection. */
export function outOfStep(): Error {
  return new Error('An answer of Redis belongs to another command.');
}
