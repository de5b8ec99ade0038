import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Candidate } from '../../auth/admission.js';
import type { Identity } from '../../auth/identity.js';
import { InBandAuthentication } from '../../auth/in-band-authentication.js';
import { closeForGood } from '../../clients/session/close-for-good.js';
import { ClientSession } from '../../clients/session/client-session.js';
import { WsRequest } from '../../ws-client/ws-request.js';
import type { Agreement } from '../../encryption/key-agreement.js';
import { KeyExchange, KeyExchangeError } from '../../encryption/key-exchange.js';
import type { KeyOffer } from '../../encryption/key-offer.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { CLOSE_CODES, type CloseReason } from '../../protocol/close-codes.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { inOwnScope } from '../../runtime/neutral-scope.js';
import { Runtime } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import type { TracePoint } from '../../tracing/trace-context.js';
import { ConnectionEnds } from './connection-ends.js';
import { ConnectionHooks } from './connection-hooks.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { ClientAdmitter } from '../upgrade/client-admitter.js';
import type { Outbox } from '../outbox/outbox.js';
import { Heartbeat } from './heartbeat.js';
import { contextOfConnection, logSubject } from '../../clients/session/session-context.js';
import { inContext } from '../../runtime/request-context.js';

/** Lets a client in, encrypted if keys were agreed on. */
type Admit = (identity: Identity, agreement: Agreement | null) => void;

/** An upgraded or adopted socket, and what is known of its client. */
export type AcceptedConnection = UpgradedSocket &
  (
    | {
        readonly identity: Identity;
        /** With it an anonymous client may authenticate by message. */
        readonly candidate?: Candidate | undefined;
      }
    /** The client has to authenticate by message. */
    | { readonly identity: null; readonly candidate: Candidate }
  );

interface UpgradedSocket {
  readonly endpoint: Endpoint;
  readonly outbox: Outbox;
  readonly request: IncomingMessage;
  readonly clientId: string;
  readonly codec: Codec;
  /** The span of its upgrade. */
  readonly upgradedIn?: TracePoint | undefined;
  /** What is kept of the request. Default: read from the request. */
  readonly info?: WsRequest;
}

/** The life of a connection after its 101: welcome, hooks, messages, the end. */
@Injectable()
export class ConnectionHandler {
  readonly #open = new Set<ClientSession>();
  readonly #settingUp = new Map<ClientSession, Promise<void>>();
  #onEmpty: (() => void)[] = [];

  constructor(
    private readonly heartbeat: Heartbeat,
    private readonly errors: ErrorReporter,
    private readonly hooks: ConnectionHooks,
    private readonly admitter: ClientAdmitter,
    private readonly keyExchange: KeyExchange,
    private readonly inBand: InBandAuthentication,
    private readonly ends: ConnectionEnds,
    private readonly runtime: Runtime,
  ) {}

  /**
   * Starts a session on a socket. With an identity the welcome is written before this returns, and the hooks run after
   * it; without one, both come once the client has authenticated.
   */
  accept(connection: AcceptedConnection): ClientSession {
    const { endpoint, outbox, request, clientId, codec, identity, candidate } = connection;
    const info = connection.info ?? new WsRequest(request);
    const session = new ClientSession(clientId, outbox, info, codec, endpoint, this.runtime.now());
    session.upgradedIn = connection.upgradedIn ?? null;
    outbox.ws.session = session;
    this.#open.add(session);
    this.#listen(session, endpoint, outbox);
    const admit: Admit = (who, agreement) => {
      this.admitter.welcome(session, who, agreement);
      outbox.flush();
      this.#setUp(session, endpoint, request);
    };
    const offer = this.keyExchange.offerOf(info);
    if (!identity) {
      this.inBand.expect(session, { candidate, admit }, CLOSE_CODES.AUTH_TIMEOUT);
      return session;
    }
    if (offer && this.#mayOfferLater(session, offer, candidate)) {
      // The upgrade has let the client in; only its key is missing.
      this.inBand.expect(session, candidate ? { candidate, admit } : { identity, admit }, CLOSE_CODES.NOT_ENCRYPTED);
      return session;
    }
    const identify: Admit = (who, agreement) => this.admitter.identify(session, who, agreement);
    const enter: Admit = (who, agreement) => {
      admit(who, agreement);
      if (candidate) this.inBand.invite(session, { candidate, admit: identify });
    };
    if (offer) void inScopeOf(session, () => this.#exchangeKeys(session, identity, offer, enter));
    else enter(identity, null);
    return session;
  }

  /** The sessions whose connection has not ended, or whose hooks or handlers still run. */
  get open(): ReadonlySet<ClientSession> {
    return this.#open;
  }

  /** Resolves once every connection has ended, its hooks and handlers included. */
  whenEmpty(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Whether a client whose upgrade lacks the key may still bring it with its `authenticate`. */
  #mayOfferLater({ codec }: ClientSession, { publicKey }: KeyOffer, candidate: Candidate | undefined): boolean {
    return publicKey === undefined && (candidate !== undefined || codec.name === 'event.v1');
  }

  /** The client is let in once the keys are agreed on, and not before. */
  async #exchangeKeys(session: ClientSession, identity: Identity, offer: KeyOffer, enter: Admit): Promise<void> {
    session.state = 'authenticating';
    try {
      const agreement = await this.keyExchange.agree(session, identity.user?.userId, offer);
      if (session.readyState === OPEN) enter(identity, agreement);
    } catch (error) {
      session.state = 'unauthorized';
      session.sendText(session.codec.encodeError(toErrorPayload(error)));
      const close = isInstanceOf(error, KeyExchangeError) ? error.close : CLOSE_CODES.HOOK_FAILED;
      closeForGood(session, close, this.runtime);
    }
  }

  /** Separate from `accept`, so that what listens for the life of a connection does not keep its upgrade request. */
  #listen(session: ClientSession, endpoint: Endpoint, outbox: Outbox): void {
    const { ws } = outbox;
    ws.on('message', (data, isBinary) => {
      if (session.readyState !== OPEN) return; // we have closed it: nobody would read the answer
      this.heartbeat.heard(session);
      session.receive(data as Buffer, isBinary); // ws gives another type only to those who ask for it
    });
    ws.on('pong', () => this.heartbeat.heard(session));
    ws.on('error', this.ends.noteError);
    ws.on('close', (code, reason) => {
      const end = this.ends.of(ws, outbox.closedWith ?? { code, reason: reason.toString() });
      session.whenRead(() => this.#ended(session, endpoint, end));
    });
  }

  /** Runs the hooks. The client's messages wait for all of them; the connection is closed when one fails. */
  #setUp(session: ClientSession, endpoint: Endpoint, request: IncomingMessage): void {
    if (!this.hooks.areNeeded(endpoint)) {
      session.finishSetUp();
      return;
    }
    const settingUp = inScopeOf(session, () => this.#runHooks(session, endpoint, request));
    this.#settingUp.set(session, settingUp);
  }

  async #runHooks(session: ClientSession, endpoint: Endpoint, request: IncomingMessage): Promise<void> {
    const failure = await this.hooks.connected(session, endpoint, request);
    if (!failure) {
      session.finishSetUp();
    } else {
      session.forgetMessages();
      session.ws.close(failure.code, failure.reason);
    }
    this.#settingUp.delete(session);
  }

  #ended(session: ClientSession, endpoint: Endpoint, end: CloseReason): void {
    const wasAdmitted = session.state === 'authenticated';
    session.state = 'disconnected';
    this.inBand.forget(session);
    this.admitter.dismiss(session, end);
    try {
      session.end();
    } catch (error) {
      this.errors.report('A stream could not be ended.', error, logSubject(session));
    }
    const hasHooks = wasAdmitted && this.hooks.areNeededAtEnd(endpoint);
    if (!hasHooks && session.isIdle && !this.#settingUp.has(session)) this.#forget(session);
    else void inScopeOf(session, () => this.#finish(session, hasHooks ? endpoint : null, end));
  }

  /**
   * Waits for what still runs. Never rejects.
   *
   * @param endpoint whose hooks run; null: none do
   */
  async #finish(session: ClientSession, endpoint: Endpoint | null, { code, reason }: CloseReason): Promise<void> {
    await this.#settingUp.get(session);
    if (endpoint) await this.hooks.disconnected(session, endpoint, code, reason);
    if (!session.isIdle) await session.inbound.whenIdle();
    this.#forget(session);
  }

  #forget(session: ClientSession): void {
    this.#open.delete(session);
    if (this.#open.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

/** Runs what belongs to a connection and to none of its messages. */
function inScopeOf<T>(session: ClientSession, work: () => T): T {
  const context = contextOfConnection(session, session.options.requestContext);
  return inOwnScope('WsConnection', () => inContext(context, work));
}
