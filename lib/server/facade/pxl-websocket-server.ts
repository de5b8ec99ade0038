import { Inject, Injectable } from '@nestjs/common';
import { sessionOf } from '../../clients/session/client-outbox.interface.js';
import { Encryption } from '../../encryption/encryption.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { WebSocketRedisSubscriberEvent } from '../../protocol/cluster-events.js';
import type { SentAction, SentEvent, SentMessage, SentType, WebSocketContract } from '../../protocol/contract.js';
import { isClustered, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Drain } from '../availability/drain.js';
import { ClientManager } from './client-manager.js';
import { RoomManager } from './room-manager.js';
import { SendScopes } from './send-scopes.js';
import { SendVerbs, type BroadcastToAllOptions, type ToAll } from './send-verbs.js';
import { ServerVerbs } from './server-verbs.js';

/**
 * PXL's `WebSocketServer`: every verb is cluster-wide, those of `local` are for this worker alone.
 *
 * @typeParam C the contract with the clients, as in `constructor(server: PxlWebSocketServer<Chat>)`
 */
@Injectable()
export class PxlWebSocketServer<C extends WebSocketContract = WebSocketContract> extends ServerVerbs<C> {
  /**
   * The verbs for sending, and `getClients`, for the clients and subscribers of this worker only. They number nothing in rooms
   * with history.
   */
  readonly local: SendVerbs<C>;
  readonly #logger = new ModuleLogger();
  #hasToldOfPredicates = false;

  constructor(
    override readonly clientManager: ClientManager,
    override readonly roomManager: RoomManager,
    private readonly scopes: SendScopes,
    drain: Drain,
    private readonly encryption: Encryption,
    errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    super(clientManager, roomManager, scopes.cluster, { errors, drain, options });
    this.local = new SendVerbs<C>(scopes.ofThisWorker(true));
  }

  /** Sends to every client, and tells subscribers as the event `sendMessageToAll`. */
  override sendMessageToAll<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...message: ToAll<C, Type, Action, Event>): void {
    super.sendMessageToAll<Type, Action, Event>(...message);
    const [{ data }] = message;
    this.scopes.cluster.tell(WebSocketRedisSubscriberEvent.SendMessageToAll, data);
  }

  /** Sends to every client but one, or to those that the predicate picks among the clients that this worker knows. */
  override broadcastToAllClients<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(broadcast: BroadcastToAllOptions<SentMessage<C, Type, Action, Event, unknown>>): void {
    super.broadcastToAllClients(broadcast);
    if (broadcast.predicate) this.#tellOfUnknownClients();
  }

  /** Sends one client an error frame with the code APPLICATION, and tells subscribers as the event `messageError`. */
  override sendMessageError(failure: { webSocketClientId: string; error: string }): void {
    super.sendMessageError(failure);
    const { webSocketClientId, error } = failure;
    this.scopes.cluster.tell(WebSocketRedisSubscriberEvent.MessageError, { webSocketClientId, error });
  }

  #tellOfUnknownClients(): void {
    const { redis, cluster } = this.options;
    if (this.#hasToldOfPredicates || !isClustered(this.options) || (redis && cluster.mirror)) return;
    this.#hasToldOfPredicates = true;
    this.#logger.warn(
      "A predicate of broadcastToAllClients picks among this worker's clients only: it knows no others " +
        `${redis ? 'with cluster.mirror: false' : "with a broadcaster of the application's own"}.`,
    );
  }

  /** The path of the module's endpoint. */
  getPath(): string {
    return this.options.path;
  }

  /**
   * Encrypts a connection of this worker with `encryption.transform` and `open`, when the application itself has agreed on
   * the keys with the client. From now on, until the connection ends, nothing is sent or accepted unencrypted, frames that
   * wait to be written included. Does nothing when the client is gone, or encrypted already.
   *
   * @throws WsError CONFLICT without an `encryption.transform`, since the built-in cipher gets its keys from the built-in
   * exchange only, and while a fragmented message of the application is unfinished
   */
  enableClientEncryption({ clientId }: { clientId: string }): void {
    const session = sessionOf(this.clientManager.getClient({ clientId, requireWs: true })?.ws);
    if (session) this.encryption.enable(session);
  }
}
