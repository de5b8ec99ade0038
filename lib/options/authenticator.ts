import type { WsRequest } from '../ws-client/ws-request.js';
import type { ClientMetadata } from '../ws-client/client-entry.js';

/** What an authenticator decides on. */
export interface WsCredentials {
  /** Where the credentials come from: the HTTP upgrade, or a message (`system.authenticate`, `system.refresh`). */
  readonly source: 'upgrade' | 'message';
  /** The upgrade request, also where a message brought the credentials: `url`, `headers`, `ip`, `params`, `query`. */
  readonly request: WsRequest;
  /** The token as it was sent, not verified: of the places in `auth.tokenFrom`, or `data.token` of the message. */
  readonly token?: string | undefined;
  /** The data of the message; undefined at the upgrade. */
  readonly data?: unknown;
  /** The id that the connection has, or will have. */
  readonly clientId: string;
}

/** What is known of the token behind an identity; all times are ms since 1970. */
export interface WsTokenInfo {
  /** Its id (`jti`), by which it can be revoked. */
  readonly id?: string | undefined;
  /** When it was issued (`iat`); a token that does not say is revoked with every other of its user. */
  readonly issuedAt?: number | undefined;
  /** When the connection ends with 4005; none: never. */
  readonly expiresAt?: number | undefined;
}

/** What an identity has beside the user, or without one. */
interface IdentityDetails {
  /** The first content of `client.metadata`. */
  readonly metadata?: ClientMetadata | undefined;
  /** What makes the identity end: with it the connection expires and can be revoked. */
  readonly token?: WsTokenInfo | undefined;
}

/** A user who connects. */
export interface WsUserIdentity extends IdentityDetails {
  /** A text that is not empty, or a finite number, which means its decimal string. */
  readonly userId: string | number;
  readonly userType?: string | undefined;
  /** Becomes `client.user.payload`. */
  readonly payload?: Record<string, unknown> | undefined;
  readonly anonymous?: false | undefined;
}

/**
 * A client that is let in without a user (`client.user` is null), since an authenticator says so: also where
 * `auth.required` is true, which refuses those whom no authenticator answers for.
 */
export interface WsAnonymousIdentity extends IdentityDetails {
  readonly anonymous: true;
  readonly userId?: undefined;
}

/** Who connects: a user, or somebody who is anonymous by decision. */
export type WsIdentity = WsUserIdentity | WsAnonymousIdentity;

/** An identity; null or undefined: not mine, ask the next one; false: refused, whatever the next one would say. */
export type WsVerdict = WsIdentity | null | undefined | false;

/**
 * Decides who connects, as a function. Null or undefined passes on to the next authenticator; when the last one passes, the
 * connection is anonymous where `auth.required` is false and no token was brought, and else refused (401). False refuses at
 * once, as does throwing an exception of the status 401, a `WsError` UNAUTHENTICATED, or what jsonwebtoken, jwks-rsa or jose
 * say of a token; an exception of the status 403 and a `WsError` FORBIDDEN refuse with 403. Anything else thrown refuses
 * nobody: 500 at the upgrade, 1011 by message, and clients come back, since a database may only be away.
 * Whatever else it returns (true, a text, an object that has no usable `userId` and is not `{ anonymous: true }`) is a
 * fault of the authenticator: the connection is refused (401), and the log and `events.onError` say what it was.
 */
export type WsAuthenticate = (credentials: WsCredentials) => WsVerdict | Promise<WsVerdict>;

/** The same as a class, with dependencies. A provider of the application, or a class that Nest can make. */
export interface WsAuthenticator {
  authenticate(credentials: WsCredentials): WsVerdict | Promise<WsVerdict>;
}
