import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** A membership that the client itself has asked for: a rule may end it later. */
export interface AskedMembership {
  /** The question about it that has not begun yet: whoever asks meanwhile shares it. */
  waiting: Promise<unknown> | null;
  /** How many questions have begun. */
  questions: number;
  /** The newest of them that has been answered. */
  answered: number;
}

/** The memberships that clients have asked for by themselves, where a rule may end them later. The server's own stay. */
@Injectable()
export class AskedRooms {
  readonly #byClient = new WeakMap<ClientSession, Map<string, AskedMembership>>();
  /** Any room may become the own room of another client. */
  readonly #mayBecomeOwn: boolean;
  /** Whether any endpoint has a rule that ends memberships. */
  readonly #mayEnd: boolean;

  constructor(@Inject(PXL_WS_OPTIONS) options: ResolvedOptions) {
    const all = allOptions(options);
    this.#mayBecomeOwn = all.some(({ rooms }) => rooms.own);
    this.#mayEnd = this.#mayBecomeOwn || all.some(({ rooms }) => isLimited(rooms));
  }

  /**
   * Notes whether the client or the server has asked for a membership; the server's word lasts.
   *
   * @param isRequest true: the client
   */
  note(client: ClientSession, roomName: string, isRequest: boolean): void {
    if (!this.#mayEnd) return;
    if (!isRequest) {
      this.forget(client, roomName);
      return;
    }
    if (!this.#mayBecomeOwn && !isLimited(client.options.rooms)) return;
    let rooms = this.#byClient.get(client);
    if (!rooms) this.#byClient.set(client, (rooms = new Map<string, AskedMembership>()));
    rooms.set(roomName, { waiting: null, questions: 0, answered: 0 });
  }

  /** Forgets a membership that has ended. */
  forget(client: ClientSession, roomName: string): void {
    this.#byClient.get(client)?.delete(roomName);
  }

  /** Undefined unless the client is in the room at its own request only; another one once it has left and come again. */
  find(client: ClientSession, roomName: string): AskedMembership | undefined {
    return this.#byClient.get(client)?.get(roomName);
  }

  /** The rooms that the client is in at its own request only. */
  of(client: ClientSession): string[] {
    return [...(this.#byClient.get(client)?.keys() ?? [])];
  }
}

/** Whether a rule of the endpoint may end memberships. */
function isLimited({ authorize, namespace }: ResolvedOptions['rooms']): boolean {
  return authorize !== undefined || namespace !== undefined;
}
