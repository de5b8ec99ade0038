import type { WsRequest } from '../clients/ws-request.js';
import type { ClientMetadata } from '../interfaces/client-entry.interface.js';

/** What an authenticator decides on. */
export interface WsCredentials {
  /** Where the credentials come from: the HTTP upgrade, or a message (`system.authenticate`, `system.refresh`). */
  readonly source: 'upgrade' | 'message';
  /** The upgrade request, also where a message brought the credentials: `url`, `headers`, `ip`. */
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

/** Who connects: an identity, or none (an accepted anonymous client). */
export interface WsIdentity {
  /**
   * A number means its decimal string; none, or null, an anonymous client. An empty text or NaN is a fault of the
   * authenticator: the connection is refused (401), and the fault reported.
   */
  readonly userId?: string | number | null | undefined;
  readonly userType?: string | undefined;
  /** Becomes `client.user.payload`. */
  readonly payload?: Record<string, unknown> | undefined;
  /** The first content of `client.metadata`. */
  readonly metadata?: ClientMetadata | undefined;
  /** What makes the identity end: with it the connection expires and can be revoked. */
  readonly token?: WsTokenInfo | undefined;
}

/** An identity; null: not mine, ask the next one; false: refused, whatever the next one would say. */
export type WsVerdict = WsIdentity | null | false;

/**
 * Decides who connects, as a function. Null passes on to the next authenticator; when the last one passes, the
 * connection is refused (401). False refuses at once, as does throwing an `UnauthorizedException`; a
 * `ForbiddenException` refuses with 403, anything else thrown with 500.
 */
export type WsAuthenticate = (credentials: WsCredentials) => WsVerdict | Promise<WsVerdict>;

/** The same as a class, with dependencies. A provider of the application, or a class that Nest can make. */
export interface WsAuthenticator {
  authenticate(credentials: WsCredentials): WsVerdict | Promise<WsVerdict>;
}
