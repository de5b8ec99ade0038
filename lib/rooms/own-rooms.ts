import type { RemoteClient } from '../clients/remote-client.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { allOptions, type ResolvedOptions } from '../pxl-websocket.options.js';
import { workerOf } from '../runtime/client-id.js';

/** The rooms of `rooms.own`: each is called like the client whose own it is, and no other client can ask to join it. */
export class OwnRooms {
  /** Whether any endpoint has `rooms.own`: the clients of all endpoints share the rooms. */
  readonly #areEnabled: boolean;

  /** @param isClient whether there is a client of this id on any worker, as far as this one knows */
  constructor(
    options: ResolvedOptions,
    private readonly isClient: (clientId: string) => boolean,
  ) {
    this.#areEnabled = allOptions(options).some(({ rooms }) => rooms.own);
  }

  /** Whether the room is the client's own. */
  isOf(client: ClientSession, roomName: string): boolean {
    return roomName === client.clientId && client.options.rooms.own;
  }

  /** Whether the room may be the own room of another worker's client whose id an application has given. */
  isReservedFor({ clientId }: RemoteClient, roomName: string): boolean {
    return this.#areEnabled && roomName === clientId && workerOf(clientId) === undefined;
  }

  /** @throws WsError FORBIDDEN when a client asks for a room that is, or may become, the own room of another client */
  check(client: ClientSession, roomName: string): void {
    if (!this.#areEnabled || roomName === client.clientId) return;
    // A name in the form of the module's client ids is reserved even before there is such a client.
    if (workerOf(roomName) === undefined && !this.isClient(roomName)) return;
    throw new WsError('FORBIDDEN', 'This room is not open to you.');
  }
}
