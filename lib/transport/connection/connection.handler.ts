import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { RawData } from 'ws';
import type { Candidate } from '../../auth/admission.js';
import type { Identity } from '../../auth/identity.js';
import { InBandAuthentication } from '../../auth/in-band-authentication.js';
import { TokenLife } from '../../auth/tokens/token-life.js';
import { ClientRegistry } from '../../clients/client-registry.js';
import { closeForGood } from '../../clients/session/close-for-good.js';
import { WsClient } from '../../clients/ws-client.js';
import { WsRequest } from '../../ws-client/ws-request.js';
import type { Agreement } from '../../encryption/key-agreement.js';
import { KeyExchangeError } from '../../encryption/key-exchange.error.js';
import { KeyExchange } from '../../encryption/key-exchange.js';
import type { KeyOffer } from '../../encryption/key-offer.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { MessageDispatcher } from '../../routing/message.dispatcher.js';
import { Runtime } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import { ConnectionHooks } from './connection-hooks.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import { ClientAdmitter } from '../upgrade/client-admitter.js';
import type { Outbox } from '../outbox/outbox.js';
import { Heartbeat } from './heartbeat.js';

/** Lets a client in, encrypted if keys were agreed on. */
type Admit = (identity: Identity, agreement: Agreement | null) => void;

/** A socket that was upgraded or adopted, and what is known of it. */
export type AcceptedConnection = UpgradedSocket &
  (
    | {
        readonly identity: Identity;
        /** With it an anonymous client may authenticate by message. */
        readonly candidate?: Candidate | undefined;
      }
    /** It has to prove by message who it is. */
    | { readonly identity: null; readonly candidate: Candidate }
  );

interface UpgradedSocket {
  readonly endpoint: Endpoint;
  readonly outbox: Outbox;
  readonly request: IncomingMessage;
  readonly clientId: string;
  readonly codec: Codec;
  /** What of the request is kept; by default what it says itself. */
  readonly info?: WsRequest;
}

/** The life of a connection after its 101: welcome, hooks, messages, the end. */
@Injectable()
export class ConnectionHandler {
  readonly #open = new Set<WsClient>();
  readonly #settingUp = new Map<WsClient, Promise<void>>();
  #onEmpty: (() => void)[] = [];

  constructor(
    private readonly clients: ClientRegistry,
    private readonly dispatcher: MessageDispatcher,
    private readonly heartbeat: Heartbeat,
    private readonly errors: ErrorReporter,
    private readonly hooks: ConnectionHooks,
    private readonly admitter: ClientAdmitter,
    private readonly keyExchange: KeyExchange,
    private readonly inBand: InBandAuthentication,
    private readonly tokenLife: TokenLife,
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Takes a socket on. With an identity the welcome is written before this returns, and the hooks run after it; without
   * one, both come once the client has authenticated.
   */
  accept(connection: AcceptedConnection): WsClient {
    const { endpoint, outbox, request, clientId, codec, identity, candidate } = connection;
    const info = connection.info ?? new WsRequest(request);
    const client = new WsClient(clientId, outbox, info, codec, endpoint, this.runtime.now());
    outbox.ws.client = client;
    this.#open.add(client);
    this.#listen(client, endpoint, outbox);
    const admit: Admit = (who, agreement) => {
      this.admitter.welcome(client, who, agreement);
      outbox.flush();
      this.#setUp(client, endpoint, request);
    };
    const offer = this.keyExchange.offerOf(info);
    if (!identity) {
      this.inBand.expect(client, { candidate, admit }, CLOSE_CODES.AUTH_TIMEOUT);
      return client;
    }
    if (offer && this.#mayOfferLater(client, offer, candidate)) {
      // Let in by its upgrade, whoever it is, it lacks nothing but the keys.
      this.inBand.expect(client, candidate ? { candidate, admit } : { identity, admit }, CLOSE_CODES.NOT_ENCRYPTED);
      return client;
    }
    const identify: Admit = (who, agreement) => this.admitter.identify(client, who, agreement);
    const enter: Admit = (who, agreement) => {
      admit(who, agreement);
      if (candidate) this.inBand.invite(client, { candidate, admit: identify });
    };
    if (offer) void inOwnScope(() => this.#exchangeKeys(client, identity, offer, enter));
    else enter(identity, null);
    return client;
  }

  /** The clients whose connection has not ended, or whose hooks and handlers still run. */
  get open(): ReadonlySet<WsClient> {
    return this.#open;
  }

  /** Resolves once every connection has ended, its hooks and handlers included. */
  whenEmpty(): Promise<void> {
    return this.#open.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Whether a client whose upgrade lacks the key may still bring it with its `authenticate`. */
  #mayOfferLater({ codec }: WsClient, { publicKey }: KeyOffer, candidate: Candidate | undefined): boolean {
    return publicKey === undefined && (candidate !== undefined || codec.name === 'event.v1');
  }

  /** The keys come first: until they are agreed on, the client is nobody. */
  async #exchangeKeys(client: WsClient, identity: Identity, offer: KeyOffer, enter: Admit): Promise<void> {
    client.state = 'authenticating';
    try {
      const agreement = await this.keyExchange.agree(client, identity.user?.userId, offer);
      if (client.readyState === OPEN) enter(identity, agreement);
    } catch (error) {
      client.state = 'unauthorized';
      client.sendText(client.codec.encodeError(toErrorPayload(error)));
      const close = isInstanceOf(error, KeyExchangeError) ? error.close : CLOSE_CODES.HOOK_FAILED;
      closeForGood(client, close, this.runtime);
    }
  }

  /** Made apart from `accept`: what listens for the life of a connection must not hold on to its upgrade request. */
  #listen(client: WsClient, endpoint: Endpoint, outbox: Outbox): void {
    const { ws } = outbox;
    ws.on('message', (data, isBinary) => this.#received(client, endpoint, data, isBinary));
    ws.on('pong', () => this.heartbeat.heard(client));
    ws.on('error', this.#onSocketError);
    ws.on('close', (code, reason) => {
      const { code: endCode, reason: endReason } = outbox.closedWith ?? { code, reason: reason.toString() };
      client.whenRead(() => this.#ended(client, endpoint, endCode, endReason));
    });
  }

  /** What a peer does wrong (bad frames, resets) ends its connection with a code; 'close' follows and tells it. */
  readonly #onSocketError = ({ code }: Error & { code?: string }): void => {
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.counters.count('maxPayload');
    else if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') this.counters.count('fragments');
  };

  /** The hooks; the connection is closed when one of them fails, and its messages wait for all of them. */
  #setUp(client: WsClient, endpoint: Endpoint, request: IncomingMessage): void {
    if (!this.hooks.areNeeded(endpoint)) {
      client.finishSetUp();
      return;
    }
    const settingUp = inOwnScope(() => this.#runHooks(client, endpoint, request));
    this.#settingUp.set(client, settingUp);
  }

  async #runHooks(client: WsClient, endpoint: Endpoint, request: IncomingMessage): Promise<void> {
    const failure = await this.hooks.connected(client, endpoint, request);
    if (!failure) {
      client.finishSetUp();
    } else {
      client.forgetMessages();
      client.ws.close(failure.code, failure.reason);
    }
    this.#settingUp.delete(client);
  }

  /** @param data a Buffer: ws gives another type only to who asks for it */
  #received(client: WsClient, endpoint: Endpoint, data: RawData, isBinary: boolean): void {
    if (client.readyState !== OPEN) return; // we have closed it: nobody would read the answer
    this.heartbeat.heard(client);
    if (isBinary && !this.options.inbound.binary) {
      const refusal = { problem: 'Binary frames are not accepted.', id: undefined };
      if (client.encrypted) client.receive(refusal);
      else this.dispatcher.refuse(client, refusal);
      return;
    }
    client.receive(client.codec.decode((data as Buffer).toString()));
  }

  #ended(client: WsClient, endpoint: Endpoint, code: number, reason: string): void {
    const wasAdmitted = client.state === 'authenticated';
    client.state = 'disconnected';
    this.inBand.forget(client);
    this.tokenLife.forget(client);
    this.clients.unregister(client, { code, reason });
    if (!client.isIdle) client.inbound.clear();
    try {
      this.dispatcher.release(client);
    } catch (error) {
      this.errors.report('A stream could not be ended.', error, client.clientId);
    }
    const hasHooks = wasAdmitted && this.hooks.areNeededAtEnd(endpoint);
    if (!hasHooks && client.isIdle && !this.#settingUp.has(client)) this.#forget(client);
    else void inOwnScope(() => this.#finish(client, hasHooks ? endpoint : null, code, reason));
  }

  /**
   * Waits for what still runs. Never rejects.
   *
   * @param endpoint whose hooks run; null: none do
   */
  async #finish(client: WsClient, endpoint: Endpoint | null, code: number, reason: string): Promise<void> {
    await this.#settingUp.get(client);
    if (endpoint) await this.hooks.disconnected(client, endpoint, code, reason);
    if (!client.isIdle) await client.inbound.whenIdle();
    this.#forget(client);
  }

  #forget(client: WsClient): void {
    this.#open.delete(client);
    if (this.#open.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

/** In a scope of its own: what a hook sets with `AsyncLocalStorage.enterWith` must not stay with the socket. */
function inOwnScope(run: () => Promise<void>): Promise<void> {
  return new AsyncResource('WsConnection', { requireManualDestroy: true }).runInAsyncScope(run);
}
