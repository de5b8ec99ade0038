import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../clients/client-registry.js';
import { closeForGood } from '../clients/session/close-for-good.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { Encryption } from '../encryption/encryption.js';
import type { Agreement } from '../encryption/key-agreement.js';
import { KeyExchange, KeyExchangeError } from '../encryption/key-exchange.js';
import { isInstanceOf } from '../errors/as-error.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import { CLOSE_CODES, type CloseReason } from '../protocol/close-codes.js';
import { inOwnScope } from '../runtime/neutral-scope.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { OPEN } from '../runtime/socket-state.js';
import { Admission, type AdmissionResult, type Candidate } from './admission.js';
import { AuthRefusals } from './auth-refusals.js';
import type { Identity } from './identity.js';
import { TokenLife } from './tokens/token-life.js';
import { logSubject } from '../clients/session/session-context.js';
import { inContextOfHere } from '../runtime/request-context.js';

/** While its authentication runs, a client has so many times `auth.timeout`. */
const WHILE_AUTHENTICATING = 3;

/** What a client's message completes: its authentication, or, if the upgrade has settled that, the exchange of keys. */
export type PendingAuthentication = ({ readonly candidate: Candidate } | { readonly identity: Identity }) & {
  /** Lets the client in, encrypted if keys were agreed on. */
  readonly admit: (identity: Identity, agreement: Agreement | null) => void;
};

/** The answer to a client that has proved who it is. */
export interface Authenticated {
  readonly userId: string | null;
  /** ms since 1970. */
  readonly expiresAt?: number | undefined;
}

type Refusal = Exclude<AdmissionResult['outcome'], 'accepted'>;

const REFUSALS: Readonly<
  Record<Refusal, { readonly error: WsError['code']; readonly text: string; close: CloseReason }>
> = {
  unauthenticated: { error: 'UNAUTHENTICATED', text: 'Not authenticated.', close: CLOSE_CODES.AUTH_FAILED },
  later: { error: 'UNAUTHENTICATED', text: 'Not authenticated.', close: CLOSE_CODES.AUTH_FAILED },
  forbidden: { error: 'FORBIDDEN', text: 'Forbidden.', close: CLOSE_CODES.FORBIDDEN },
  unfit: { error: 'VALIDATION_FAILED', text: 'The parameters were refused.', close: CLOSE_CODES.UNFIT },
  notFound: { error: 'NOT_FOUND', text: 'Nothing is here.', close: CLOSE_CODES.UNFIT },
  tooMany: { error: 'RATE_LIMITED', text: 'The user has too many connections.', close: CLOSE_CODES.RATE_LIMITED },
  failed: { error: 'INTERNAL', text: 'Internal error.', close: CLOSE_CODES.HOOK_FAILED },
};

/** Authentication by message: `system.authenticate` of clients that the upgrade has left open, `system.refresh` of all. */
@Injectable()
export class InBandAuthentication {
  /** What the message of a client will complete; null after its attempt. */
  readonly #pending = new WeakMap<ClientSession, PendingAuthentication | null>();
  readonly #deadlines = new Map<ClientSession, RuntimeTimer>();

  constructor(
    private readonly admission: Admission,
    private readonly tokenLife: TokenLife,
    private readonly keyExchange: KeyExchange,
    private readonly encryption: Encryption,
    private readonly errors: ErrorReporter,
    private readonly refusals: AuthRefusals,
    private readonly clients: ClientRegistry,
    private readonly runtime: Runtime,
  ) {}

  /**
   * Gives a client `auth.timeout` to prove who it is, or to bring its key.
   *
   * @param overdue what the client is closed with after that time
   */
  expect(client: ClientSession, pending: PendingAuthentication, overdue: CloseReason): void {
    client.state = 'unauthorized';
    this.invite(client, pending);
    this.#setDeadline(client, client.options.auth.timeout, overdue);
  }

  /** Lets an anonymous client prove once who it is. */
  invite(client: ClientSession, pending: PendingAuthentication): void {
    this.#pending.set(client, pending);
  }

  /** Whether the upgrade alone has settled who the client is, and it has not authenticated by message. */
  isSettledByUpgrade(client: ClientSession): boolean {
    return !this.#pending.has(client);
  }

  /**
   * Tells a client again who it is, and agrees on keys with it if it brings one.
   *
   * @throws KeyExchangeError
   */
  async confirm(client: ClientSession, data: unknown): Promise<Authenticated> {
    const agreement = await this.#agree(client, client.user?.userId, data);
    if (agreement) this.encryption.start(client, agreement);
    else client.sendText(client.codec.encodeIdentified(client.welcome));
    return { userId: client.user?.userId ?? null, expiresAt: client.token?.expiresAt };
  }

  /** Forgets a client whose connection has ended. */
  forget(client: ClientSession): void {
    this.#endDeadline(client);
    this.#pending.delete(client);
  }

  /**
   * Authenticates a client by the data of its message, and lets it in. A client that fails is closed, after the answer.
   *
   * @throws WsError BAD_MESSAGE when it is authenticated already, or that is under way, or there is no authentication by message;
   * KeyExchangeError
   */
  async authenticate(client: ClientSession, data: unknown): Promise<Authenticated> {
    const pending = this.#pending.get(client);
    if (!pending) throw new WsError('BAD_MESSAGE', 'There is nothing to authenticate.');
    this.#pending.set(client, null);
    if (this.#deadlines.has(client)) {
      client.state = 'authenticating';
      const passed = this.runtime.now() - client.connectedAt;
      const left = WHILE_AUTHENTICATING * client.options.auth.timeout - passed;
      this.#setDeadline(client, left, CLOSE_CODES.AUTH_TIMEOUT);
    }
    const result: AdmissionResult =
      'identity' in pending
        ? { outcome: 'accepted', identity: pending.identity }
        : await this.admission.ofMessage(pending.candidate, data);
    const isAccepted = result.outcome === 'accepted';
    const agreement = isAccepted ? await this.#agree(client, result.identity.user?.userId, data) : null;
    const isOver = client.readyState !== OPEN; // it has left, or its time was up
    this.#endDeadline(client);
    if (isAccepted && !isOver) {
      pending.admit(result.identity, agreement);
      return answer(result.identity);
    }
    if (client.state === 'authenticating') client.state = 'unauthorized';
    throw this.#refuse(client, result);
  }

  /**
   * Replaces the token of a client by a new one of the same user.
   *
   * @throws WsError BAD_MESSAGE for an anonymous client, UNAUTHENTICATED, FORBIDDEN for another user's token, TIMEOUT
   */
  async refresh(client: ClientSession, data: unknown): Promise<Authenticated> {
    if (!client.user) throw new WsError('BAD_MESSAGE', 'There is nothing to refresh.');
    const { clientId, request, options } = client;
    const late = (): WsError => {
      this.refusals.count(options, 'timeout');
      return new WsError('TIMEOUT', 'The token was not verified in time.');
    };
    const limit = WHILE_AUTHENTICATING * options.auth.timeout;
    const { userId } = client.user;
    const renewal = this.admission.renew({ clientId, request, options }, userId, data);
    // Noted here, so that an authenticator that fails after its time is reported too.
    const renewed = renewal.then((result) => {
      if (result.outcome !== 'accepted') throw this.#errorOf(client, result);
      return result;
    });
    const result = await this.runtime.within(limit, renewed, late);
    if (client.readyState === OPEN) {
      if (result.identity.user) this.clients.renew(client, result.identity.user);
      client.token = result.identity.token ?? null;
      this.tokenLife.watch(client, client.token?.expiresAt);
    }
    return answer(result.identity);
  }

  /** Agrees on keys. If that fails the client is closed, after the answer. */
  async #agree(client: ClientSession, userId: string | undefined, data: unknown): Promise<Agreement | null> {
    const agree = inContextOfHere(() => this.keyExchange.agree(client, userId, data));
    try {
      return await inOwnScope('WsAuthentication', agree);
    } catch (error) {
      if (isInstanceOf(error, KeyExchangeError)) {
        const { close } = error;
        this.#endDeadline(client);
        this.runtime.afterIo(() => closeForGood(client, close, this.runtime));
      }
      throw error;
    }
  }

  #endDeadline(client: ClientSession): void {
    this.#deadlines.get(client)?.cancel();
    this.#deadlines.delete(client);
  }

  #setDeadline(client: ClientSession, ms: number, overdue: CloseReason): void {
    this.#endDeadline(client);
    const late = (): void => {
      if (overdue === CLOSE_CODES.AUTH_TIMEOUT) this.refusals.count(client.options, 'timeout');
      closeForGood(client, overdue, this.runtime);
    };
    this.#deadlines.set(client, this.runtime.timeout(ms, late));
  }

  /** Closes the client after the answer, which is written when the returned error has been thrown. */
  #refuse(client: ClientSession, result: AdmissionResult): WsError {
    const refusal = result.outcome === 'accepted' ? REFUSALS.later : REFUSALS[result.outcome];
    this.runtime.afterIo(() => closeForGood(client, refusal.close, this.runtime));
    return this.#errorOf(client, result);
  }

  #errorOf(client: ClientSession, result: AdmissionResult): WsError {
    if (result.outcome === 'failed') this.errors.report('An authentication failed.', result.error, logSubject(client));
    if ('reason' in result && result.reason === 'other_user') {
      return new WsError('FORBIDDEN', 'The token is somebody else’s.');
    }
    if (result.outcome === 'unfit' || result.outcome === 'notFound') {
      const { error, code, details } = result.error;
      return new WsError(code, error, { details });
    }
    const { error, text } = result.outcome === 'accepted' ? REFUSALS.later : REFUSALS[result.outcome];
    return new WsError(error, text);
  }
}

function answer(identity: Identity): Authenticated {
  return { userId: identity.user?.userId ?? null, expiresAt: identity.token?.expiresAt };
}
