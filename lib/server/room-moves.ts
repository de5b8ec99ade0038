import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager } from '../rooms/room-manager.js';
import { checkRoomName } from '../rooms/room-name.js';

/** Which clients go into or out of which rooms. */
export type RoomMove = { rooms: readonly string[] } & (
  { clientIds: readonly string[] } | { userIds: readonly (string | number)[] }
);

/** Puts many clients into many rooms, and takes them out again. */
@Injectable()
export class RoomMoves {
  constructor(
    private readonly clients: ClientManager,
    private readonly rooms: RoomManager,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Tries every join; rejects with the first failure once all of them have settled. */
  async join(move: RoomMove): Promise<void> {
    for (const roomName of move.rooms) checkRoomName(roomName, this.options.limits.roomName);
    const joins = this.#clientsOf(move).flatMap((client) =>
      move.rooms.map((roomName) => this.rooms.join(client, roomName)),
    );
    const results = await Promise.allSettled(joins);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  leave(move: RoomMove): void {
    for (const client of this.#clientsOf(move)) {
      for (const roomName of move.rooms) this.rooms.leave(client, roomName);
    }
  }

  #clientsOf(move: RoomMove): WsClient[] {
    if ('clientIds' in move) return move.clientIds.flatMap((clientId) => this.clients.getClient({ clientId }) ?? []);
    if ('userIds' in move) return move.userIds.flatMap((userId) => this.clients.getClientsByUser({ userId }));
    throw new WsError('BAD_MESSAGE', 'Name the clients: clientIds or userIds.');
  }
}
