import { Inject, Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ClientManager } from '../clients/client-manager.js';
import { WsClient } from '../clients/ws-client.js';
import { encodeMessage } from '../clients/encode-message.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager } from '../rooms/room-manager.js';
import { Drain } from '../transport/drain.js';
import { Delivery } from './delivery.js';
import { resolveClient, ServerVerbs, type ClientReference } from './server-verbs.js';

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

  /** All clients, or those of one user type. */
  getClients({ userType }: { userType?: string } = {}): WsClient[] {
    return this.clientManager.getClients({ userType });
  }

  /**
   * Puts a client into a room.
   *
   * @returns true once the client receives what is sent there; false when it is gone or the bus is down
   * @throws WsError for wrong arguments: INVALID_ROOM, ROOM_LIMIT, CONFLICT for a contradicting identity
   */
  async joinRoom(join: JoinRoomOptions): Promise<boolean> {
    const { roomName, userId, userType, username } = join;
    const client = resolveClient(this.clientManager, join);
    if (!client) return false;
    if (userId !== undefined) this.clientManager.identify(client, { userId: String(userId), userType, payload: {} });
    try {
      return await this.roomManager.join(client, roomName, username === undefined ? undefined : { username });
    } catch (error) {
      const busIsDown = error instanceof WsError && (error.code === 'UNAVAILABLE' || error.code === 'TIMEOUT');
      if (busIsDown) return false;
      throw error;
    }
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
   */
  sendClientMessage(to: WebSocket | WsClient, data: unknown, binary = false): void {
    const client = to instanceof WsClient ? to : resolveClient(this.clientManager, { ws: to });
    if (!client) return;
    if (!binary) client.send(data);
    else if (client.readyState === 1) client.ws.send(Buffer.from(encodeMessage(client.codec, data)));
  }

  /** The library's part of `app.close()`: no new connections, handlers finish, everybody reads 1001. */
  stop(): Promise<void> {
    return this.drain.run();
  }
}
