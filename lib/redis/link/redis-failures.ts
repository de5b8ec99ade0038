import { WsError } from '../../errors/ws.error.js';

const AWAY = 'Redis cannot be reached at the moment.';

/** The error of a command that was sent, and whose outcome is not known: Redis has carried it out, will do so, or never does. */
export class InDoubtError extends WsError {
  constructor(cause: Error) {
    super('UNAVAILABLE', AWAY, { cause });
  }
}

/** The error while Redis cannot be reached, or refuses to work: the command has not been carried out, and will not be. */
export function unavailable(cause: Error | null): WsError {
  return new WsError('UNAVAILABLE', AWAY, { cause });
}

/** The error of a publication: a refusal of Redis is UNAVAILABLE for senders, too. */
export function unpublished(failure: unknown): Error {
  return isReply(failure) ? unavailable(bare(failure)) : (failure as Error);
}

/** Whether it is an error reply of Redis, and not a failure of the connection. */
export function isReply(error: unknown): boolean {
  return (error as { name?: unknown } | null)?.name === 'ReplyError';
}

/** Whether another node of the cluster serves the slot. */
export function isMoved(error: unknown): boolean {
  return isReply(error) && bare(error).message.startsWith('MOVED ');
}

/**
 * Whether a cluster refused a command because it is changing: the slot of the key is moving, has moved, or has no master for
 * a moment. The command was not executed and may be tried again.
 */
export function isInMotion(error: unknown): boolean {
  const { message } = bare(error);
  // ioredis' own error after several redirections.
  if (message.startsWith('Too many Cluster redirections.')) return true;
  return isReply(error) && /^(?:MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /.test(message);
}

/** Whether the server is a replica, which takes no writes. */
export function isReadOnly(error: unknown): boolean {
  // Older servers put other text before errors in scripts.
  return isReply(error) && /(?:^|-)READONLY /.test(bare(error).message);
}

/** Whether ioredis' own `commandTimeout` ended the command. Only the text of the error shows it. */
export function isTimeout(error: unknown): boolean {
  return (error as { message?: unknown } | null)?.message === 'Command timed out';
}

/**
 * The error of a connection that ended before Redis answered anything. It mentions TLS where the two sides may disagree about
 * it, which neither side reports.
 *
 * @param failure the connection's error; null: the server closed it
 * @param hasTls whether this side uses TLS
 * @param ms the time limit for the connection
 */
export function unanswered(failure: Error | null, hasTls: boolean, ms: number): Error {
  const { message } = failure ?? new Error('The connection was closed.');
  if (hasTls && message.includes('ETIMEDOUT')) {
    return new Error(
      `There was no TLS connection within ${ms} ms: the server is away, or its port has no TLS (redis:// instead of rediss://).`,
    );
  }
  // A server with TLS resets the connection, or answers with a TLS alert, which begins with this byte.
  const isTlsLikely = !hasTls && (!failure || /ECONNRESET|EPIPE|got "\\u0015"/.test(message));
  return isTlsLikely
    ? new Error(`${message} Does the port speak TLS (rediss:// instead of redis://)?`)
    : new Error(message);
}

/** The error without ioredis' additions: those contain the command's arguments, for AUTH the password. */
export function bare(failure: unknown): Error {
  const { message } = failure as { message?: unknown };
  return new Error(typeof message === 'string' ? message : 'The connection failed.');
}

/** Replies are out of step with the commands: one belongs to another command, as will all later ones. */
export function outOfStep(): Error {
  return new Error('An answer of Redis belongs to another command.');
}
