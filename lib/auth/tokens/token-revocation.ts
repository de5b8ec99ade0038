import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { closeForGood } from '../../clients/session/close-for-good.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { WsError } from '../../errors/ws.error.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import { PXL_WS_REVOCATIONS, type Revocation, type Revocations } from './revocations.interface.js';

/** Milliseconds for which a revocation is kept when it is not known how long its tokens live: 30 days. */
const KEPT = 30 * 24 * 3_600_000;

/** What {@link WebSocketService.revoke} takes. */
export interface WsRevokeOptions {
  /** All tokens of this user. */
  userId?: string | number | undefined;
  /** The token with this id (`jti`). */
  jti?: string | undefined;
  /** Only tokens issued at this time or earlier; ms since 1970 or a Date. Default: now; for a `jti` any time. */
  before?: number | Date | undefined;
  /**
   * When the last of these tokens has expired by itself; ms since 1970 or a Date. Default: `auth.jwt.maxAge` from now, or
   * 30 days where there is none, and no earlier than the tokens of the clients that are closed.
   */
  until?: number | Date | undefined;
}

/** Ends the connections of revoked tokens, and has the tokens refused until they would have expired. */
@Injectable()
export class TokenRevocation {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_REVOCATIONS) private readonly revocations: Revocations,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Remembers the revocation, and enforces it on this worker.
   *
   * @returns the revocation for the other workers, and a promise that it is remembered for workers that start later
   * @throws WsError BAD_MESSAGE unless exactly one of `userId` and `jti` is given, and for an invalid time
   */
  revoke({ userId, jti, before, until }: WsRevokeOptions): { revocation: Revocation; remembered: Promise<void> } {
    const subject = subjectOf(userId, jti);
    const now = this.runtime.now();
    const end = timeOf('until', until);
    // An id means one token, so the clock of its issuer does not matter.
    const meant = { subject, before: timeOf('before', before) ?? (jti === undefined ? now : Infinity) };
    const clients = this.#clientsOf(meant);
    const last = end ?? Math.max(now + this.#lifetime, ...endsOf(clients));
    const revocation = { ...meant, until: last };
    // Close here even if other workers cannot be told, but not before the token is refused.
    const remembered = Promise.resolve(this.revocations.add(revocation));
    this.#close(clients);
    return { revocation, remembered };
  }

  /** Remembers another worker's revocation, and ends this worker's connections with such tokens. */
  async enforce(revocation: Revocation): Promise<void> {
    this.revocations.learn(revocation);
    const clients = this.#clientsOf(revocation);
    this.#close(clients);
    // The worker that has revoked them does not know when these tokens expire.
    const until = Math.max(0, ...endsOf(clients));
    if (until > revocation.until) await this.revocations.add({ ...revocation, until });
  }

  #close(clients: readonly ClientSession[]): void {
    for (const client of clients) closeForGood(client, CLOSE_CODES.REVOKED, this.runtime);
  }

  get #lifetime(): number {
    const lifetimes = allOptions(this.options).map(({ auth: { jwt } }) => {
      const maxAge = jwt && jwt !== true ? jwt.maxAge : undefined;
      return maxAge === undefined ? KEPT : maxAge * 1_000;
    });
    return Math.max(...lifetimes);
  }

  #clientsOf({ subject, before }: Omit<Revocation, 'until'>): ClientSession[] {
    if (subject.kind === 'user') {
      const sessions = [...(this.clients.ofUser(subject.userId) ?? [])];
      // A session without a token (a cookie's, for example) began when it connected.
      return sessions.filter(({ token, connectedAt }) => (token ? (token.issuedAt ?? 0) : connectedAt) <= before);
    }
    const clients = [...this.clients.values()];
    return clients.filter(({ token }) => token?.id === subject.id && (token.issuedAt ?? 0) <= before);
  }
}

/** When the tokens of these clients expire by themselves, in ms since 1970. */
function endsOf(clients: readonly ClientSession[]): number[] {
  return clients.map(({ token }) => (token ? (token.expiresAt ?? Infinity) : 0));
}

/** The time in ms since 1970. An invalid date is NaN: no token would be older, and the revocation would mean none. */
function timeOf(name: string, time: number | Date | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && !Number.isNaN(ms)) return ms;
  throw new WsError('BAD_MESSAGE', `The time ${name} of a revocation is a number of ms since 1970 or a valid Date.`);
}

function subjectOf(userId: string | number | undefined, id: string | undefined): Revocation['subject'] {
  if (userId !== undefined && id === undefined) return { kind: 'user', userId: String(userId) };
  if (id !== undefined && userId === undefined) return { kind: 'token', id };
  throw new WsError('BAD_MESSAGE', 'Give a userId or a jti to revoke.');
}
