import type { IncomingMessage } from 'node:http';
import type { ClientMetadata } from '../interfaces/client-entry.interface.js';

/** What an authenticator decides on. */
export interface WsCredentials {
  /** Where the credentials come from: the HTTP upgrade. */
  readonly source: 'upgrade';
  readonly request: IncomingMessage;
  /** The id that the connection will have. */
  readonly clientId: string;
}

/** Who connects: an identity, or none (an accepted anonymous client). */
export interface WsIdentity {
  /** A number means its decimal string. */
  readonly userId?: string | number | undefined;
  readonly userType?: string | undefined;
  /** Becomes `client.user.payload`. */
  readonly payload?: Record<string, unknown> | undefined;
  /** The first content of `client.metadata`. */
  readonly metadata?: ClientMetadata | undefined;
}

type Verdict = WsIdentity | null | false;

/**
 * Decides who connects. Null or false refuses (401), as does throwing an `UnauthorizedException`; a
 * `ForbiddenException` refuses with 403, anything else thrown with 500.
 */
export type WsAuthenticate = (credentials: WsCredentials) => Verdict | Promise<Verdict>;
