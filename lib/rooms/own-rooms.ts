import type { RemoteClient } from '../clients/remote-client.js';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import { allOptions, type ResolvedOptions } from '../pxl-websocket.options.js';
import { workerOf } from '../runtime/client-id.js';

/** The rooms that are called like the one client that is in them by `rooms.own`: nobody else gets into one by asking. */
export class OwnRooms {
  /** Whether any endpoint has them: the clients of all endpoints share the rooms. */
  readonly #areThere: boolean;
  /** The rooms that a client is in since it has asked: one of them may turn out to be somebody's own. */
  readonly #asked = new WeakMap<WsClient, Set<string>>();

  /** @param isClient whether the id is that of a client of any worker, as far as this one knows */
  constructor(
    options: ResolvedOptions,
    private readonly isClient: (clientId: string) => boolean,
  ) {
    this.#areThere = allOptions(options).some(({ rooms }) => rooms.own);
  }

  /** Whether it is the client's own room. */
  isOf(client: WsClient, roomName: string): boolean {
    return roomName === client.clientId && client.options.rooms.own;
  }

  /** Whether the room is called like another worker's client, whose id an application has given, and so may be its own. */
  isKeptFor({ clientId }: RemoteClient, roomName: string): boolean {
    return this.#areThere && roomName === clientId && workerOf(clientId) === undefined;
  }

  /** @throws WsError FORBIDDEN when a client asks for what is the own room of another, or will be */
  check(client: WsClient, roomName: string): void {
    if (!this.#areThere || roomName === client.clientId) return;
    // An id of our form is kept free before its client is there, too.
    if (workerOf(roomName) === undefined && !this.isClient(roomName)) return;
    throw new WsError('FORBIDDEN', 'This room is not open to you.');
  }

  /**
   * A membership has begun, or is asked for once more.
   *
   * @param isRequest whether the client itself has asked for it
   */
  note(client: WsClient, roomName: string, isRequest: boolean): void {
    if (!this.#areThere) return;
    if (!isRequest) {
      this.forget(client, roomName);
      return;
    }
    let rooms = this.#asked.get(client);
    if (!rooms) this.#asked.set(client, (rooms = new Set<string>()));
    rooms.add(roomName);
  }

  /** Whether the client is in the room since it has asked for it, and for no other reason. */
  hasAsked(client: WsClient, roomName: string): boolean {
    return this.#asked.get(client)?.has(roomName) ?? false;
  }

  /** The membership has ended. */
  forget(client: WsClient, roomName: string): void {
    if (this.#areThere) this.#asked.get(client)?.delete(roomName);
  }
}
