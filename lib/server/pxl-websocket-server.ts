import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ClientManager } from '../clients/client-manager.js';
import { encodeMessage } from '../clients/encode-message.js';
import { WsClient } from '../clients/ws-client.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager } from '../rooms/room-manager.js';
import { checkRoomName } from '../rooms/room-name.js';
import { Drain } from '../transport/drain.js';
import { resolveClient, type ClientReference } from './client-reference.js';
import { Delivery } from './delivery.js';
import { ServerVerbs } from './server-verbs.js';

/** What {@link PxlWebSocketServer.joinRoom} takes. */
export type JoinRoomOptions = ClientReference & {
  roomName: string;
  /** Becomes the client's identity when it has none; throws when it contradicts a verified one. */
  userId?: string | number;
  userType?: string;
  /** What the other members of the room are told; a label, no identity. */
  username?: string;
};

/** The facade of the first seed (its `WebSocketServer`): every verb is cluster-wide, `local` is for this worker alone. */
@Injectable()
export class PxlWebSocketServer extends ServerVerbs {
  readonly type = 'server';
  /** The same verbs for the clients of this worker only. */
  readonly local: ServerVerbs;

  constructor(
    readonly clientManager: ClientManager,
    readonly roomManager: RoomManager,
    private readonly drain: Drain,
    delivery: Delivery,
    errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    super(clientManager, (envelope) => {
      delivery.send(envelope).catch((error: unknown) => errors.report('A message did not reach other workers.', error));
    });
    this.local = new ServerVerbs(clientManager, (envelope) => delivery.deliver(envelope));
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
  async joinRoom(join: JoinRoomOptions): Promise<boolean> {
    const { roomName, userId, userType, username } = join;
    const client = resolveClient(this.clientManager, join);
    checkRoomName(roomName, this.options.limits.roomName);
    if (!client) return false;
    const user = { userId, userType, username };
    return this.roomManager.addClientToRoom({ clientId: client.clientId, roomName, user });
  }

  /** Takes a client out of a room; does nothing when it is not there. */
  leaveRoom(leave: ClientReference & { roomName: string }): void {
    const client = resolveClient(this.clientManager, leave);
    if (client) this.roomManager.leave(client, leave.roomName);
  }

  /**
   * Sends to one client of this worker; does nothing when it is gone.
   *
   * @param binary the same text in a binary frame
   * @throws WsError BAD_MESSAGE when the data has no JSON form
   */
  sendClientMessage(to: WebSocket | WsClient, data: unknown, binary = false): void {
    const client = resolveClient(this.clientManager, to instanceof WsClient ? { client: to } : { ws: to });
    if (client?.readyState !== 1) return;
    const text = encodeMessage(client.codec, data);
    if (binary) client.ws.send(Buffer.from(text));
    else client.sendText(text);
  }

  /** The library's part of `app.close()`: no new connections, handlers finish, everybody reads 1001. */
  stop(): Promise<void> {
    return this.drain.run();
  }
}
