import { Inject, Injectable } from '@nestjs/common';
import { readName } from '../../clients/verb-checks.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { WsError } from '../../errors/ws.error.js';
import { readMessages, type WsHistoryQuery, type WsKeptMessages } from '../../history/kept-messages.js';
import { ROOM_HISTORY, type RoomHistory } from '../../history/room-history.interface.js';
import { ROOM_STORE, type WsPosition, type WsRoomStore } from '../../history/room-store.interface.js';
import type { WsRetention } from '../../options/rooms/history.options.js';
import type { WebSocketContract } from '../../protocol/contract.js';
import { ClusterCommands } from './cluster-commands.js';

/** The messages that the history of rooms keeps: the application reads and clears them. */
@Injectable()
export class KeptMessages {
  constructor(
    @Inject(ROOM_HISTORY) private readonly history: RoomHistory,
    @Inject(ROOM_STORE) private readonly store: WsRoomStore | null,
    private readonly commands: ClusterCommands,
    private readonly errors: ErrorReporter,
  ) {}

  /** @throws WsError BAD_MESSAGE for wrong arguments; NOT_FOUND for a room without history; UNAVAILABLE */
  async read<C extends WebSocketContract>(roomName: string, query: WsHistoryQuery): Promise<WsKeptMessages<C>> {
    const { store, retention } = this.#keeperOf(roomName);
    return readMessages(store, roomName, retention, query);
  }

  /**
   * @returns the room's new position
   * @throws WsError as {@link read} does
   */
  async clear(roomName: string): Promise<WsPosition> {
    const { store, retention } = this.#keeperOf(roomName);
    const position = await store.clear(roomName, retention);
    // A worker that does not hear of it finds the new epoch by itself, if later.
    this.commands
      .send({ kind: 'rooms', roomNames: [roomName] }, { name: 'checkHistory', roomName })
      .catch((error: unknown) => this.errors.report('A command did not reach another worker.', error));
    return position;
  }

  #keeperOf(roomName: string): { store: WsRoomStore; retention: WsRetention } {
    readName('room', roomName);
    const retention = this.history.retentionOf(roomName);
    if (!this.store || !retention) throw new WsError('NOT_FOUND', 'The room has no history.');
    return { store: this.store, retention };
  }
}
