import { Injectable } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { isUnexpected, toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import type { JoinClaim } from './join-claim.js';
import { isRoomName } from './room-name.js';
import { RoomManager } from './room-manager.js';
import { RoomOpening } from './room-opening.js';

/** A room of a list that was not joined or left, and why. */
export interface RefusedRoom {
  /** As the client named it; null when that was no text. */
  readonly room: string | null;
  readonly code: string;
}

/** What became of a list of rooms: those joined or left, and the others. */
export interface RoomListAnswer {
  readonly rooms: readonly string[];
  readonly refused: readonly RefusedRoom[];
}

/** Rooms in one list; a client has other limits for how many it can be in. */
const MOST = 1_024;

/** How the channels of Ignis begin: no room of a client's own. */
const RESERVED_PREFIX = 'ws:';

/** Several rooms in one request of a client: each is joined, left or refused by itself. */
@Injectable()
export class RoomLists {
  constructor(
    private readonly rooms: RoomManager,
    private readonly opening: RoomOpening,
    private readonly errors: ErrorReporter,
    private readonly counters: RefusalCounters,
  ) {}

  /**
   * @param claim takes the joins back until this resolves
   * @throws WsError BAD_MESSAGE when that is no list, or one of more than 1,024 rooms
   */
  async join(client: WsClient, list: unknown, claim: JoinClaim): Promise<RoomListAnswer> {
    const { names, refused } = this.#read(client, list);
    const codes = await Promise.all(names.map((room) => this.#join(client, room, claim)));
    this.rooms.confirm(claim);
    const rooms: string[] = [];
    for (const [at, room] of names.entries()) {
      // In one-room mode a later room of the list has taken the place of this one.
      const code = codes[at] ?? (client.rooms.has(room) ? undefined : 'CONFLICT');
      if (code === undefined) rooms.push(room);
      else refused.push({ room, code });
    }
    return { rooms, refused };
  }

  /** @throws WsError as {@link join} */
  leave(client: WsClient, list: unknown): RoomListAnswer {
    const { names, refused } = this.#read(client, list);
    for (const room of names) this.rooms.leave(client, room);
    return { rooms: names, refused };
  }

  /** The code of a refusal; undefined when the client was let in. */
  async #join(client: WsClient, room: string, claim: JoinClaim): Promise<string | undefined> {
    if (!this.opening.isOpenTo(client)) return 'FORBIDDEN';
    try {
      return (await this.rooms.join(client, room, { isRequest: true, claim })) ? undefined : 'CONFLICT';
    } catch (error) {
      if (isUnexpected(error)) this.errors.report('Joining a room failed.', error, client.clientId);
      return toErrorPayload(error).code;
    }
  }

  /** The names of a list, each once, and what is none. */
  #read(client: WsClient, list: unknown): { names: string[]; refused: RefusedRoom[] } {
    if (!Array.isArray(list) || list.length > MOST) {
      throw new WsError('BAD_MESSAGE', `The rooms are not a list of at most ${MOST}.`);
    }
    const names: string[] = [];
    const refused: RefusedRoom[] = [];
    const { roomName: limit } = client.options.limits;
    for (const room of new Set<unknown>(list)) {
      const isName = isRoomName(room, limit, this.counters) && !room.startsWith(RESERVED_PREFIX);
      if (isName) names.push(room);
      else refused.push({ room: typeof room === 'string' ? room : null, code: 'INVALID_ROOM' });
    }
    return { names, refused };
  }
}
