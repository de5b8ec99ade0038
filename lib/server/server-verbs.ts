import type { WebSocket } from 'ws';
import type { AnyClient } from '../clients/client-manager.js';
import { encodeMessage } from '../clients/encode-message.js';
import { OWN_SENDS } from '../clients/own-sends.js';
import { checkNames, readName, readUserIds } from '../clients/verb-checks.js';
import { WsClient } from '../clients/ws-client.js';
import type { Target } from '../cluster/envelope.js';
import type { ErrorReporter } from '../errors/error-reporter.js';
import type { ClientEntry, WsUser } from '../interfaces/client-entry.interface.js';
import { WebSocketRedisSubscriberEvent } from '../protocol/cluster-events.js';
import type { WebSocketType } from '../protocol/web-socket-type.js';
import type { ResolvedOptions } from '../pxl-websocket.options.js';
import { checkRoomName, longestRoomName } from '../rooms/room-name.js';
import type { Drain } from '../transport/drain.js';
import { clientIdOf, type ClientReference } from './client-reference.js';
import type { ClientVerbs } from './client-verbs.js';
import type { Mailing } from './delivery.js';
import type { RoomVerbs } from './room-verbs.js';

/** What {@link ServerVerbs.broadcastToAllClients} asks of each client. */
export type ClientPredicate = (candidate: {
  clientId: string;
  /**
   * The user's payload with `userId` and `userType`; null for an anonymous client. Of another worker's user it has the claims
   * that `cluster.shareUser` names and no others: a warning tells, once for each, of those that are looked for in vain.
   */
  userData: (Record<string, unknown> & Pick<WsUser, 'userId' | 'userType'>) | null;
  client: ClientEntry;
}) => boolean;

/** What {@link ServerVerbs.broadcastToAllClients} takes. */
export interface BroadcastToAllOptions {
  data: unknown;
  excludeClientId?: string;
  /**
   * Picks who gets it; runs at the call, on this worker, over all known clients: those of other workers with the claims in
   * `cluster.shareUser` only, and with `cluster.mirror: false` or a `broadcaster` of your own this worker's alone. What goes
   * by more is published, and picked on each worker by a subscriber with `webSocketServer.broadcastToAllClients`.
   */
  predicate?: ClientPredicate;
}

/** What {@link ServerVerbs.joinRoom} takes. */
export type JoinRoomOptions = ClientReference & {
  roomName: string;
  /** Becomes the client's identity when it has none; throws when it contradicts a verified one. */
  userId?: string | number;
  /** Becomes the type of a user whose credentials name none; throws when it contradicts what they say. */
  userType?: string;
  /** What the other members of the room are told; a label, no identity. */
  username?: string;
};

/** What the verbs reach of their worker. */
export interface VerbHost {
  /** To the clients of the scope. */
  send(mailing: Mailing): void;
  /** To its subscribers. */
  tell(channel: string, message: unknown): void;
  readonly errors: ErrorReporter;
  readonly drain: Drain;
  readonly options: ResolvedOptions;
}

/**
 * PXL's `WebSocketServer` for a scope: the clients of the whole cluster (`PxlWebSocketServer`), or those of one worker
 * (`PxlWebSocketServer.local`, and what a subscriber with `run: 'everyWorker'` gets).
 *
 * Those that send return nothing and never reject: a failure on the way to other workers goes to `events.onError`. A
 * message without a JSON form, and options that there are not, throw BAD_MESSAGE at the call.
 */
export class ServerVerbs {
  readonly type = 'server' satisfies WebSocketType;

  constructor(
    /** The clients of the scope. In that of one worker those of others are unknown. */
    readonly clientManager: ClientVerbs,
    /** Their rooms. */
    readonly roomManager: RoomVerbs,
    private readonly host: VerbHost,
  ) {}

  /** Every room that has members in the scope, with their client ids. */
  get rooms(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.roomManager.rooms;
  }

  /** All clients, or those of one user type. */
  getClients(query: { userType?: string } = {}): AnyClient[] {
    checkNames('query', query, ['userType']);
    const { userType } = query;
    return this.clientManager.getClients({ userType });
  }

  /** Sends to every client. */
  sendMessageToAll(message: { data: unknown }): void {
    const { data } = read(message, ['data']);
    this.#send({ kind: 'everybody' }, data);
  }

  /** Sends to every client but one, or to those that the predicate picks. */
  broadcastToAllClients(broadcast: BroadcastToAllOptions): void {
    const { data, excludeClientId, predicate } = read(broadcast, ['data', 'excludeClientId', 'predicate']);
    const target: Target = predicate ? { kind: 'clients', clientIds: this.#pick(predicate) } : { kind: 'everybody' };
    this.#send(target, data, excludeClientId);
  }

  /** Sends to the members of a room. */
  broadcastToRoom(broadcast: { roomName: string; data: unknown; excludeClientId?: string }): void {
    const { roomName, data, excludeClientId } = read(broadcast, ['roomName', 'data', 'excludeClientId']);
    this.#send({ kind: 'rooms', roomNames: [readName('roomName', roomName)] }, data, excludeClientId);
  }

  /** Sends to every session of the users. */
  broadcastToUsers(broadcast: { userIds: readonly (string | number)[]; data: unknown }): void {
    const { userIds, data } = read(broadcast, ['userIds', 'data']);
    this.#send({ kind: 'users', userIds: readUserIds(userIds) }, data);
  }

  /** Sends to one client. */
  broadcastToClient(broadcast: { clientId: string; data: unknown }): void {
    const { clientId, data } = read(broadcast, ['clientId', 'data']);
    this.#send({ kind: 'clients', clientIds: [readName('clientId', clientId)] }, data);
  }

  /** Sends one client an error frame with the code APPLICATION. */
  sendMessageError(failure: { webSocketClientId: string; error: string }): void {
    const { webSocketClientId, error } = read(failure, ['webSocketClientId', 'error']);
    const data = { error, code: 'APPLICATION', retryable: false };
    this.#send(
      { kind: 'clients', clientIds: [readName('webSocketClientId', webSocketClientId)] },
      { type: 'error', action: 'message', data },
    );
  }

  /** Tells subscribers, as the event `sendMessage`; clients do not hear it. */
  sendMessage(message: { data: unknown }): void {
    const { data } = read(message, ['data']);
    this.host.tell(WebSocketRedisSubscriberEvent.SendMessage, data);
  }

  /** Tells subscribers, as the event `custom`; clients do not hear it. */
  sendCustomMessage(message: { data: unknown }): void {
    const { data } = read(message, ['data']);
    this.host.tell(WebSocketRedisSubscriberEvent.Custom, data);
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent there; false when it is gone, not in the scope, or the bus is down
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for a contradicting identity, BAD_MESSAGE when
   * no client is named, or a user type without a user
   */
  joinRoom(join: JoinRoomOptions): Promise<boolean> {
    return this.host.errors.watch('PxlWebSocketServer.joinRoom', () => this.#joinRoom(join));
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

  /**
   * The library's part of `app.close()` on this worker: no new connections, handlers finish, everybody reads 1001 or 1012.
   */
  stop(): Promise<void> {
    return this.host.errors.watch('PxlWebSocketServer.stop', () => this.host.drain.run());
  }

  async #joinRoom(join: JoinRoomOptions): Promise<boolean> {
    checkNames('option', join, ['ws', 'client', 'clientId', 'roomName', 'userId', 'userType', 'username']);
    const { roomName, userId, userType, username } = join;
    const clientId = clientIdOf(this.clientManager, join);
    checkRoomName(roomName, longestRoomName(this.host.options));
    if (clientId === undefined) return false;
    return this.roomManager.addClientToRoom({ clientId, roomName, user: { userId, userType, username } });
  }

  #clientOf(ws: WebSocket): WsClient | undefined {
    const clientId = this.clientManager.getClientId({ ws });
    return clientId === undefined ? undefined : this.clientManager.getClient({ clientId, requireWs: true });
  }

  #send(target: Target, message: unknown, excludeClientId?: string | null): void {
    const exclude = excludeClientId == null ? [] : [readName('excludeClientId', excludeClientId)];
    this.host.send({ target, exclude, message });
  }

  #pick(predicate: ClientPredicate): string[] {
    return this.clientManager
      .getClients()
      .filter((client) => predicate({ clientId: client.clientId, userData: userDataOf(client), client }))
      .map(({ clientId }) => clientId);
  }
}

/** @throws WsError BAD_MESSAGE for fields that the verb does not know */
function read<T extends object>(given: T, known: readonly (keyof T & string)[]): T {
  checkNames('option', given, known);
  return given;
}

function userDataOf({ ws, user }: AnyClient): Parameters<ClientPredicate>[0]['userData'] {
  if (!user) return null;
  const { userId, userType, payload } = user;
  const userData = { ...payload, userId, userType };
  // Another worker's user: what is looked for in vain is told, as where the payload itself is read.
  if (!ws) Object.setPrototypeOf(userData, Object.getPrototypeOf(payload) as object);
  return userData;
}
