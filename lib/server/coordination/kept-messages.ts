import { Inject, Injectable } from '@nestjs/common';
import { namespaceIn, readName, readNamespace } from '../../clients/verb-checks.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { WsError } from '../../errors/ws.error.js';
import { readMessages, type WsHistoryQuery, type WsKeptMessages } from '../../history/kept-messages.js';
import { ROOM_HISTORY, type RoomHistory } from '../../history/room-history.interface.js';
import { ROOM_STORE, type WsPosition, type WsRoomStore } from '../../history/room-store.interface.js';
import type { WsRetention } from '../../options/rooms/history.options.js';
import type { WebSocketContract } from '../../protocol/contract.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import { ClusterCommands } from './cluster-commands.js';

/** The messages that the history of rooms keeps: the application reads and clears them. */
@Injectable()
export class KeptMessages {
  readonly #names: RoomNames;

  constructor(
    @Inject(ROOM_HISTORY) private readonly history: RoomHistory,
    @Inject(ROOM_STORE) private readonly store: WsRoomStore | null,
    private readonly commands: ClusterCommands,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** @throws WsError BAD_MESSAGE for wrong arguments; NOT_FOUND for a room without history; UNAVAILABLE */
  async read<C extends WebSocketContract>(roomName: string, query: WsHistoryQuery): Promise<WsKeptMessages<C>> {
    const { key, store, retention } = this.#keeperOf(roomName, namespaceIn(query));
    return readMessages(store, key, retention, query);
  }

  /**
   * @returns the room's new position
   * @throws WsError as {@link read} does
   */
  async clear(roomName: string, options: WsNamespaced): Promise<WsPosition> {
    const { key, store, retention } = this.#keeperOf(roomName, readNamespace(options));
    const position = await store.clear(key, retention);
    // A worker that does not hear of it finds the new epoch by itself, if later.
    this.commands
      .send({ kind: 'rooms', roomNames: [key] }, { name: 'checkHistory', roomName: key })
      .catch((error: unknown) => this.errors.report('A command did not reach another worker.', error));
    return position;
  }

  #keeperOf(roomName: string, namespace: unknown): { key: string; store: WsRoomStore; retention: WsRetention } {
    const key = this.#names.keyOf('room', readName('room', roomName), namespace);
    const retention = this.history.retentionOf(key);
    if (!this.store || !retention) throw new WsError('NOT_FOUND', 'The room has no history.');
    return { key, store: this.store, retention };
  }
}
