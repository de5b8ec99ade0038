import { isUserId } from '../clients/user-identity.js';
import { isRecord, kindOf, UNREADABLE } from '../errors/kind-of.js';
import type { WsUser } from '../ws-client/client-entry.js';
import type { WsTokenInfo } from '../options/authenticator.js';
import { PASS, refusal, type Decision } from './decision.js';

type Fields = Record<string, unknown>;

/** An invalid field of a verdict; the message describes it for a sentence of the log. */
class Fault extends Error {}

/**
 * Reads the answer of an application's authenticator, which may be any value. Only an object that names a user, or says that
 * the client is anonymous, lets it in. Each field is read once, so that a getter cannot return another value later.
 */
export function readVerdict(answer: unknown): Decision {
  if (answer === null || answer === undefined) return PASS;
  if (answer === false) return refusal('refused');
  try {
    if (!isRecord(answer)) throw new Fault(kindOf(answer));
    return read(answer);
  } catch (error) {
    // An error that one of its getters throws may hold secrets.
    const fault = error instanceof Fault ? error.message : UNREADABLE;
    return { kind: 'refusal', reason: 'no_user', fault };
  }
}

function read({ userId, anonymous, userType, payload, metadata, token }: Fields): Decision {
  const user = readUser({ userId, anonymous, userType, payload });
  const kept = record('metadata', metadata);
  const identity = { user, metadata: kept && { ...kept }, token: readToken(record('token', token)) };
  return { kind: 'identity', identity };
}

function readUser({ userId, anonymous, userType, payload }: Fields): WsUser | null {
  if (!isNone(anonymous) && typeof anonymous !== 'boolean') throw wrong('anonymous', anonymous);
  if (anonymous === true) {
    if (!isNone(userId)) throw new Fault('an object that is anonymous and has a userId');
    return null;
  }
  if (!isUserId(userId)) throw userId === undefined ? new Fault('an object without a userId') : wrong('userId', userId);
  if (!isNone(userType) && typeof userType !== 'string') throw wrong('userType', userType);
  return { userId: String(userId), userType: userType ?? undefined, payload: record('payload', payload) ?? {} };
}

function readToken(token: Fields | undefined): WsTokenInfo | undefined {
  if (!token) return undefined;
  const { id, issuedAt, expiresAt } = token;
  if (!isNone(id) && typeof id !== 'string') throw wrong('token.id', id);
  // Compared with a revocation, Infinity or another type would never be older.
  if (!isNone(issuedAt) && (typeof issuedAt !== 'number' || !Number.isFinite(issuedAt))) {
    throw wrong('token.issuedAt', issuedAt);
  }
  if (!isNone(expiresAt) && typeof expiresAt !== 'number') throw wrong('token.expiresAt', expiresAt);
  return { id: id ?? undefined, issuedAt: issuedAt ?? undefined, expiresAt: expiresAt ?? undefined };
}

/** An optional field that holds an object. */
function record(name: string, value: unknown): Fields | undefined {
  if (isNone(value)) return undefined;
  if (isRecord(value)) return value;
  throw wrong(name, value);
}

/** Null counts as missing, since rows of a database have it. */
function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function wrong(field: string, value: unknown): Fault {
  return new Fault(`an object whose ${field} is ${kindOf(value)}`);
}
