import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ClientManager } from '../clients/client-manager.js';
import { checkNames } from '../clients/verb-checks.js';
import { encodeMessage } from '../clients/encode-message.js';
import { OWN_SENDS } from '../clients/own-sends.js';
import { WsClient } from '../clients/ws-client.js';
import type { ClusterEvent } from '../cluster/cluster-events.js';
import { Encryption } from '../encryption/encryption.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WebSocketRedisSubscriberEvent } from '../protocol/cluster-events.js';
import type { WebSocketType } from '../protocol/web-socket-type.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager } from '../rooms/room-manager.js';
import { checkRoomName, longestRoomName } from '../rooms/room-name.js';
import { Drain } from '../transport/drain.js';
import { clientIdOf, type ClientReference } from './client-reference.js';
import { Delivery, type Mailing } from './delivery.js';
import { ServerVerbs } from './server-verbs.js';
import { VerbEvents } from './verb-events.js';

/** What {@link PxlWebSocketServer.joinRoom} takes. */
export type JoinRoomOptions = ClientReference & {
  roomName: string;
  /** Becomes the client's identity when it has none; throws when it contradicts a verified one. */
  userId?: string | number;
  userType?: string;
  /** What the other members of the room are told; a label, no identity. */
  username?: string;
};

/** The facade of PXL (its `WebSocketServer`): every verb is cluster-wide, `local` is for this worker alone. */
@Injectable()
export class PxlWebSocketServer extends ServerVerbs {
  readonly type = 'server' satisfies WebSocketType;
  /** The same verbs for the clients and subscribers of this worker only. */
  readonly local: ServerVerbs;
  readonly #bystander: ServerVerbs;

  constructor(
    readonly clientManager: ClientManager,
    readonly roomManager: RoomManager,
    private readonly drain: Drain,
    private readonly encryption: Encryption,
    delivery: Delivery,
    private readonly errors: ErrorReporter,
    private readonly verbEvents: VerbEvents,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    const send = (mailing: Mailing): void => {
      delivery.send(mailing).catch((error: unknown) => errors.report('A message did not reach other workers.', error));
    };
    const viewOfThisWorker = (isResponsible: boolean): ServerVerbs =>
      new ServerVerbs(
        { getClients: (query) => clientManager.getLocalClients(query) },
        (mailing) => delivery.deliver(mailing),
        (channel, message) => verbEvents.tell(channel, message, isResponsible),
      );
    super(clientManager, send, (channel, message) => verbEvents.publish(channel, message));
    this.local = viewOfThisWorker(true);
    this.#bystander = viewOfThisWorker(false);
  }

  /** Sends to every client, and tells subscribers as the event `sendMessageToAll`. */
  override sendMessageToAll(message: { data: unknown }): void {
    super.sendMessageToAll(message);
    this.verbEvents.publish(WebSocketRedisSubscriberEvent.SendMessageToAll, message.data);
  }

  /** Sends one client an error frame with the code APPLICATION, and tells subscribers as the event `messageError`. */
  override sendMessageError(failure: { webSocketClientId: string; error: string }): void {
    super.sendMessageError(failure);
    const { webSocketClientId, error } = failure;
    this.verbEvents.publish(WebSocketRedisSubscriberEvent.MessageError, { webSocketClientId, error });
  }

  /**
   * @internal The local view for who handles an event on every worker. What it tells subscribers is for one worker to act
   * on: the one that the event is for.
   */
  viewFor({ isResponsible }: ClusterEvent): ServerVerbs {
    return isResponsible ? this.local : this.#bystander;
  }

  /** Every room that has members, with their client ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.roomManager.rooms;
  }

  /** The path of the module's endpoint. */
  getPath(): string {
    return this.options.path;
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent there; false when it is gone or the bus is down
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for a contradicting identity, BAD_MESSAGE when
   * no client is named, or a user type without a user
   */
  joinRoom(join: JoinRoomOptions): Promise<boolean> {
    return this.errors.watch('PxlWebSocketServer.joinRoom', () => this.#joinRoom(join));
  }

  async #joinRoom(join: JoinRoomOptions): Promise<boolean> {
    checkNames('option', join, ['ws', 'client', 'clientId', 'roomName', 'userId', 'userType', 'username']);
    const { roomName, userId, userType, username } = join;
    const clientId = clientIdOf(this.clientManager, join);
    checkRoomName(roomName, longestRoomName(this.options));
    if (clientId === undefined) return false;
    return this.roomManager.addClientToRoom({ clientId, roomName, user: { userId, userType, username } });
  }

  /** Takes a client out of a room; does nothing when it is not there. */
  leaveRoom(leave: ClientReference & { roomName: string }): void {
    checkNames('option', leave, ['ws', 'client', 'clientId', 'roomName']);
    const clientId = clientIdOf(this.clientManager, leave);
    if (clientId !== undefined) this.roomManager.removeClientFromRoom({ clientId, roomName: leave.roomName });
  }

  /**
   * Sends to one client of this worker; does nothing when it is gone.
   *
   * @param binary true: the same text in a binary frame, encrypted where the client is. Clients of your own read it; the
   * library's `WebSocketClient` takes text frames only, and tells its `events.onError` of any other. Default: false
   * @throws WsError BAD_MESSAGE when the data has no JSON form
   */
  sendClientMessage(to: WebSocket | WsClient, data: unknown, binary = false): void {
    const client = to instanceof WsClient ? to : this.#clientOf(to);
    if (client?.readyState !== 1) return;
    const text = encodeMessage(client.codec, data);
    if (binary) client.sendBinary(text);
    else client.sendText(text);
    OWN_SENDS.note(client);
  }

  #clientOf(ws: WebSocket): WsClient | undefined {
    const clientId = this.clientManager.getClientId({ ws });
    return clientId === undefined ? undefined : this.clientManager.local.get(clientId);
  }

  /**
   * Encrypts a connection of this worker whose keys the application has agreed on by itself, by `encryption.transform` and
   * `open`: from here on nothing goes out in clear, what has not been written yet included, and nothing is taken in clear.
   * It stays so until the connection ends. Does nothing when the client is gone, or encrypted already.
   *
   * @throws WsError CONFLICT without an `encryption.transform`, since the built-in cipher has its keys from the built-in
   * exchange only, and while a fragmented message of the application is unfinished
   */
  enableClientEncryption({ clientId }: { clientId: string }): void {
    const client = this.clientManager.getClient({ clientId, requireWs: true });
    if (client) this.encryption.enable(client);
  }

  /** The library's part of `app.close()`: no new connections, handlers finish, everybody reads 1001 or 1012. */
  stop(): Promise<void> {
    return this.errors.watch('PxlWebSocketServer.stop', () => this.drain.run());
  }
}
