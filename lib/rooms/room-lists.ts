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
import { isUsername } from './username.js';

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

/** How the channels of Ignis begin, whose clients cannot join rooms that are called so. */
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
    const { labels, refused } = this.#read(client, list);
    const joins = [...labels];
    const codes = await Promise.all(joins.map(([room, username]) => this.#join(client, room, username, claim)));
    this.rooms.confirm(claim);
    const rooms: string[] = [];
    for (const [at, [room]] of joins.entries()) {
      // In one-room mode a later room of the list has taken the place of this one.
      const code = codes[at] ?? (client.rooms.has(room) ? undefined : 'CONFLICT');
      if (code === undefined) rooms.push(room);
      else refused.push({ room, code });
    }
    return { rooms, refused };
  }

  /** @throws WsError as {@link join} */
  leave(client: WsClient, list: unknown): RoomListAnswer {
    const { labels, refused } = this.#read(client, list);
    const rooms = [...labels.keys()];
    for (const room of rooms) this.rooms.leave(client, room);
    return { rooms, refused };
  }

  /** The code of a refusal; undefined when the client was let in. */
  async #join(
    client: WsClient,
    room: string,
    username: string | undefined,
    claim: JoinClaim,
  ): Promise<string | undefined> {
    if (!this.opening.isOpenTo(client)) return 'FORBIDDEN';
    try {
      return (await this.rooms.join(client, room, { username, isRequest: true, claim })) ? undefined : 'CONFLICT';
    } catch (error) {
      if (isUnexpected(error)) this.errors.report('Joining a room failed.', error, client.clientId);
      return toErrorPayload(error).code;
    }
  }

  /** The rooms of a list, each once, with the label that was named last for it; and what is no such entry. */
  #read(client: WsClient, list: unknown): { labels: Map<string, string | undefined>; refused: RefusedRoom[] } {
    if (!Array.isArray(list) || list.length > MOST) {
      throw new WsError('BAD_MESSAGE', `The rooms are not a list of at most ${MOST}.`);
    }
    const labels = new Map<string, string | undefined>();
    const refused = new Map<unknown, RefusedRoom>();
    for (const entry of list as unknown[]) {
      const { room, username } = readEntry(entry);
      if (!this.#isRoom(client, room, entry)) {
        const name = typeof room === 'string' ? room : null;
        refused.set(name ?? entry, { room: name, code: 'INVALID_ROOM' });
      } else if (isUsername(username)) {
        labels.set(room, username ?? labels.get(room));
        refused.delete(room);
      } else {
        labels.delete(room);
        refused.set(room, { room, code: 'BAD_MESSAGE' });
      }
    }
    return { labels, refused: [...refused.values()] };
  }

  /** Clients of Ignis name rooms as bare texts. */
  #isRoom({ codec, options }: WsClient, room: unknown, entry: unknown): room is string {
    if (!isRoomName(room, options.limits.roomName, this.counters)) return false;
    return codec.name !== 'event.v1' || entry !== room || !room.startsWith(RESERVED_PREFIX);
  }
}

/** A room by its name alone, or with what the client is called there. */
function readEntry(entry: unknown): { room?: unknown; username?: unknown } {
  return typeof entry === 'object' && entry !== null ? entry : { room: entry };
}
