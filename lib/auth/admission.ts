import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { WsRequest } from '../ws-client/ws-request.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { inOwnScope } from '../runtime/neutral-scope.js';
import { Tracing } from '../tracing/tracing.js';
import { AuthRefusals } from './auth-refusals.js';
import { Authentication, type AuthenticationResult, type Refused } from './authentication.js';
import { ANONYMOUS, type Identity } from './identity.js';
import { ConnectionCandidate } from './connection-candidate.js';
import { refusalOfPipe, type ConnectionPreparation, type Unfit } from './connection-preparation.js';
import { ConnectionGuards, type BoundGuard } from './connection-guards.js';
import { PXL_WS_REVOCATIONS, type Revocations } from './tokens/revocations.interface.js';
import { UserAdmission } from './user-admission.js';
import { inContext, inContextOfHere, wsContext, type WsRequestContext } from '../runtime/request-context.js';

/** A connection that asks to be let in. */
export interface Candidate {
  readonly clientId: string;
  readonly request: WsRequest;
  readonly stream: Duplex;
  /** The options of the endpoint. */
  readonly options: ResolvedOptions;
  /** The guards of the endpoint's gateways. */
  readonly guards: readonly BoundGuard[];
  /** What those gateways make ready for it. */
  readonly preparations: readonly ConnectionPreparation[];
}

/** A connected client that brings a new token. */
type KnownCandidate = Pick<Candidate, 'clientId' | 'request' | 'options'>;

/** The identity of a candidate, or why it is not let in. */
export type AdmissionResult =
  | { readonly outcome: 'accepted'; readonly identity: Identity }
  /** The candidate has to prove who it is by its first message. */
  | { readonly outcome: 'later' }
  | Refused
  | Unfit
  | { readonly outcome: 'tooMany' }
  | { readonly outcome: 'failed'; readonly error: unknown };

const MISSING: Refused = { outcome: 'unauthenticated', reason: 'missing' };
const REVOKED: Refused = { outcome: 'unauthenticated', reason: 'revoked' };

/** The checks of a connection's identity: authentication, guards, pipes, revocations, the user's own limit. */
@Injectable()
export class Admission {
  constructor(
    private readonly authentication: Authentication,
    private readonly guards: ConnectionGuards,
    private readonly users: UserAdmission,
    private readonly counters: RefusalCounters,
    private readonly refusals: AuthRefusals,
    private readonly tracing: Tracing,
    @Inject(PXL_WS_REVOCATIONS) private readonly revocations: Revocations,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether every client is let in as anonymous, without a check. */
  isOpen({ options, guards, preparations }: Pick<Candidate, 'options' | 'guards' | 'preparations'>): boolean {
    return !this.authentication.isConfigured(options) && this.guards.areNone(guards) && preparations.length === 0;
  }

  /** Admits by the upgrade request. Never rejects. */
  async ofUpgrade(candidate: Candidate): Promise<AdmissionResult> {
    const { mode, required } = candidate.options.auth;
    const isAsked = this.authentication.isConfigured(candidate.options) && mode !== 'message';
    const result = isAsked ? await this.authentication.ofUpgrade(candidate) : ({ outcome: 'missing' } as const);
    if (result.outcome !== 'missing') return this.#admit(candidate, result);
    if (!required) return this.#admit(candidate, { outcome: 'accepted', identity: ANONYMOUS });
    return mode === 'upgrade' ? this.#note(candidate, MISSING) : { outcome: 'later' };
  }

  /** Admits by the data of a message. Never rejects. */
  ofMessage(candidate: Candidate, data: unknown): Promise<AdmissionResult> {
    return this.#inOwnScope(async () => this.#admit(candidate, await this.authentication.ofMessage(candidate, data)));
  }

  /**
   * Checks a new token of a client, also against the revocations; guards were asked when it connected. Never rejects.
   *
   * @param userId the user whose token it has to be
   */
  renew(candidate: KnownCandidate, userId: string, data: unknown): Promise<AdmissionResult> {
    return this.#inOwnScope(async () => {
      const result = await this.authentication.ofMessage(candidate, data);
      return this.#note(candidate, await this.#failSafe(() => this.#renewed(userId, result)));
    });
  }

  /** What an authenticator sets with `enterWith` must not stay with the socket; only the context and the span of the message are seen. */
  #inOwnScope(work: () => Promise<AdmissionResult>): Promise<AdmissionResult> {
    return inOwnScope('WsAuthentication', inContextOfHere(this.tracing.bound(work)));
  }

  async #renewed(userId: string, result: AuthenticationResult): Promise<AdmissionResult> {
    if (result.outcome === 'missing') return MISSING;
    if (result.outcome !== 'accepted') return result;
    if (await this.#isRevoked(result.identity)) return REVOKED;
    return result.identity.user?.userId === userId ? result : { outcome: 'forbidden', reason: 'other_user' };
  }

  async #admit(candidate: Candidate, result: AuthenticationResult): Promise<AdmissionResult> {
    return this.#note(candidate, await this.#failSafe(() => this.#judge(candidate, result)));
  }

  async #judge(candidate: Candidate, result: AuthenticationResult): Promise<AdmissionResult> {
    if (result.outcome === 'missing') return MISSING;
    if (result.outcome !== 'accepted') return result;
    const { identity } = result;
    const { clientId, request, guards, preparations } = candidate;
    const asked = new ConnectionCandidate(clientId, request, identity.user, identity.metadata);
    const check = async (): ReturnType<typeof prepare> =>
      (await this.guards.check(asked, guards)) ?? (await prepare(asked, preparations));
    const refused = await inContext(knowing(identity), check);
    if (refused) return refused;
    // As late as possible, and again after a wait, so that no user gets in who is revoked meanwhile.
    if (await this.#isRevoked(identity)) return REVOKED;
    this.#checkMetadata(identity);
    if (!(await this.users.enter(candidate, identity))) return { outcome: 'tooMany' };
    const live = this.users.hear(candidate, identity);
    if (!live) return result;
    await live;
    return (await this.#isRevoked(identity)) ? REVOKED : result;
  }

  /** Counts the result; a user with too many connections is counted by the limit instead. */
  #note({ options }: Pick<Candidate, 'options'>, result: AdmissionResult): AdmissionResult {
    if (result.outcome === 'accepted') this.refusals.admitted(options);
    else if (result.outcome === 'failed') this.refusals.count(options, 'failed');
    else if ('reason' in result) this.refusals.count(options, result.reason, result.by);
    return result;
  }

  /** An authenticator's metadata has the same limit as what is added later. */
  #checkMetadata({ metadata }: Identity): void {
    const limit = this.options.limits.metadataBytes;
    if (!metadata || limit === false || Buffer.byteLength(JSON.stringify(metadata)) <= limit) return;
    this.counters.count('metadataBytes');
    throw new WsError('BAD_MESSAGE', `The metadata of a client is at most ${limit} bytes of JSON.`);
  }

  async #isRevoked({ user, token }: Identity): Promise<boolean> {
    if (!user || !token) return false;
    return this.revocations.isRevoked({ userId: user.userId, id: token.id, issuedAt: token.issuedAt });
  }

  async #failSafe(decide: () => Promise<AdmissionResult>): Promise<AdmissionResult> {
    try {
      return await decide();
    } catch (error) {
      return { outcome: 'failed', error };
    }
  }
}

/** The context of the candidate, once it is known who that is. */
function knowing({ user }: Identity): WsRequestContext | undefined {
  const context = wsContext();
  return context && user ? { ...context, userId: user.userId } : undefined;
}

/** One gateway after the other, up to the first whose pipes refuse; null when none do. Never rejects. */
async function prepare(
  candidate: ConnectionCandidate,
  preparations: readonly ConnectionPreparation[],
): Promise<ReturnType<typeof refusalOfPipe> | null> {
  for (const preparation of preparations) {
    try {
      await preparation.prepare(candidate);
    } catch (error) {
      return refusalOfPipe(error, preparation.name);
    }
  }
  return null;
}
