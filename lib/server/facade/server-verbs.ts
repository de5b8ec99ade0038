import type { WebSocket } from 'ws';
import type { AnyClient } from '../../clients/remote-client.js';
import { encodeMessage } from '../../clients/encode-message.js';
import { sessionOf } from '../../clients/session/client-outbox.interface.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import { checkNames } from '../../clients/verb-checks.js';
import { WsClient } from '../../ws-client/ws-client.js';
import type { ErrorReporter } from '../../errors/error-reporter.js';
import type { SentAction, SentEvent, SentMessage, SentType, WebSocketContract } from '../../protocol/contract.js';
import type { WebSocketType } from '../../protocol/messages.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import { longestRoomName } from '../../rooms/room-name.js';
import { RoomNames } from '../../rooms/room-names.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { Drain } from '../availability/drain.js';
import type { ClientVerbs } from './client-verbs.js';
import { clientIdOf, type ClientReference } from './destinations.js';
import type { RoomVerbs } from './room-verbs.js';
import type { SendScope } from './send-scopes.js';
import { SendVerbs } from './send-verbs.js';
import { OPEN } from '../../runtime/socket-state.js';

/** What {@link ServerVerbs.joinRoom} takes. */
export type WsJoinRoomOptions = ClientReference &
  WsNamespaced & {
    roomName: string;
    /** Becomes the client's user when it has none; must not contradict the client's own. */
    userId?: string | number;
    /** Becomes the user's type when the client's credentials name none; must not contradict them. */
    userType?: string;
    /** What the client is called in this room: a label for the other members, never an identity. */
    username?: string;
  };

/** What {@link ServerVerbs} uses beside the managers and its scope. */
export interface VerbHost {
  readonly errors: ErrorReporter;
  readonly drain: Drain;
  readonly options: ResolvedOptions;
}

/**
 * The verbs of PXL's `WebSocketServer`: what `PxlWebSocketServer` has, and what a subscriber gets as `webSocketServer`. A
 * subscriber with `run: 'everyWorker'` sees all clients of the cluster, and its verbs reach this worker's clients only: what
 * runs on every worker then happens once.
 */
export class ServerVerbs<C extends WebSocketContract = WebSocketContract> extends SendVerbs<C> {
  readonly type = 'server' satisfies WebSocketType;

  constructor(
    /** The clients of the cluster; `ws` is null for those of other workers. */
    readonly clientManager: ClientVerbs,
    /** The rooms of these clients. */
    readonly roomManager: RoomVerbs,
    scope: SendScope,
    private readonly host: VerbHost,
  ) {
    super(scope);
  }

  /** Every room that has members, with their client ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.roomManager.rooms;
  }

  /** All clients, or those of one user type. */
  override getClients(query: { userType?: string } = {}): AnyClient[] {
    checkNames('query', query, ['userType']);
    const { userType } = query;
    return this.clientManager.getClients({ userType });
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent there; false when it is gone, and when the bus is down. For a
   * subscriber with `run: 'everyWorker'` also on every worker but the client's own
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for a contradicting identity, BAD_MESSAGE when
   * no client is named, or a user type without a user
   */
  joinRoom(join: WsJoinRoomOptions): Promise<boolean> {
    return this.host.errors.watch('PxlWebSocketServer.joinRoom', () => this.#joinRoom(join));
  }

  /** Takes a client out of a room; does nothing when it is not there. */
  leaveRoom(leave: ClientReference & WsNamespaced & { roomName: string }): void {
    checkNames('option', leave, ['ws', 'client', 'clientId', 'roomName', 'namespace']);
    const clientId = this.#idOf(leave);
    const { roomName, namespace } = leave;
    if (clientId !== undefined) this.roomManager.removeClientFromRoom({ clientId, roomName, namespace });
  }

  /**
   * Sends to one client of this worker. Does nothing when the client is gone.
   *
   * @param binary true: sends the text in a binary frame, encrypted where the client is. The library's `WebSocketClient`
   * does not read it: it takes text frames only, and reports any other to its `events.onError`. Default: false
   * @throws WsError BAD_MESSAGE when the data has no JSON form; TOO_LARGE over `limits.maxPushBytes`
   */
  sendClientMessage<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(to: WebSocket | WsClient<C>, data: SentMessage<C, Type, Action, Event, unknown>, binary = false): void {
    const session = to instanceof WsClient ? sessionOf(to.ws) : this.#sessionOf(to);
    if (session?.readyState !== OPEN) return;
    const text = encodeMessage(session.codec, data);
    session.checkSize(text);
    if (binary) session.sendBinary(text);
    else session.sendText(text);
    OWN_SENDS.note(session);
  }

  /**
   * Does the library's part of `app.close()` on this worker: takes no new connections, lets handlers finish, and closes
   * every client with 1001, or 1012 where other workers go on.
   */
  stop(): Promise<void> {
    return this.host.errors.watch('PxlWebSocketServer.stop', () => this.host.drain.run());
  }

  /** The session behind a socket; undefined while its client has not authenticated, and when it is gone. */
  #sessionOf(ws: WebSocket): ClientSession | undefined {
    return this.clientManager.getClientId({ ws }) === undefined ? undefined : sessionOf(ws);
  }

  async #joinRoom(join: WsJoinRoomOptions): Promise<boolean> {
    checkNames('option', join, ['ws', 'client', 'clientId', 'roomName', 'namespace', 'userId', 'userType', 'username']);
    const { roomName, namespace, userId, userType, username } = join;
    const clientId = this.#idOf(join);
    const { options } = this.host;
    const names: RoomNames = RoomNames.of(options);
    names.check(names.keyOf('roomName', roomName, namespace), longestRoomName(options));
    if (clientId === undefined) return false;
    return this.roomManager.addClientToRoom({ clientId, roomName, namespace, user: { userId, userType, username } });
  }

  #idOf(reference: ClientReference): string | undefined {
    return clientIdOf(reference, (ws) => this.clientManager.getClientId({ ws }));
  }
}
