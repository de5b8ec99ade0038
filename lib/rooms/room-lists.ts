import { Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { isUnexpected, toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import type { JoinClaim } from './join-claims.js';
import { isUsername } from './member-details.js';
import { Memberships } from './memberships.js';
import { isRoomName } from './room-name.js';
import { RoomRules } from './room-rules.js';

/** A room of a list that was not joined or left, and why. */
export interface RefusedRoom {
  /** The name that the client gave; null when it was not a text. */
  readonly room: string | null;
  readonly code: string;
}

/** The outcome for a list of rooms: those that were joined or left, and the others. */
export interface RoomListAnswer {
  readonly rooms: readonly string[];
  readonly refused: readonly RefusedRoom[];
}

/** How many rooms one list can have. How many a client can be in is limited by `limits.roomsPerClient`. */
const MAX_ROOMS = 1_024;

/** How the names of Ignis' own channels begin: its clients cannot join rooms with such a name. */
const RESERVED_PREFIX = 'ws:';

/** Requests of clients to join or leave several rooms at once: each room is joined, left or refused by itself. */
@Injectable()
export class RoomLists {
  constructor(
    private readonly memberships: Memberships,
    private readonly rules: RoomRules,
    private readonly errors: ErrorReporter,
    private readonly counters: RefusalCounters,
  ) {}

  /**
   * Joins the rooms of a list.
   *
   * @param claim can be withdrawn until the promise resolves
   * @throws WsError BAD_MESSAGE when `list` is not an array of at most 1,024 rooms
   */
  async join(client: ClientSession, list: unknown, claim: JoinClaim): Promise<RoomListAnswer> {
    const { labels, refused } = this.#read(client, list);
    const joins = [...labels];
    const codes = await Promise.all(joins.map(([room, username]) => this.#join(client, room, username, claim)));
    this.memberships.confirm(claim);
    const rooms: string[] = [];
    for (const [at, [room]] of joins.entries()) {
      // In one-room mode a later room of the list has taken the place of this one.
      const code = codes[at] ?? (client.rooms.has(room) ? undefined : 'CONFLICT');
      if (code === undefined) rooms.push(room);
      else refused.push({ room, code });
    }
    return { rooms, refused };
  }

  /**
   * Leaves the rooms of a list.
   *
   * @throws WsError as {@link join}
   */
  leave(client: ClientSession, list: unknown): RoomListAnswer {
    const { labels, refused } = this.#read(client, list);
    const rooms = [...labels.keys()];
    for (const room of rooms) this.memberships.leave(client, room);
    return { rooms, refused };
  }

  /** Returns the code of the refusal; undefined when the client has joined. */
  async #join(
    client: ClientSession,
    room: string,
    username: string | undefined,
    claim: JoinClaim,
  ): Promise<string | undefined> {
    if (!this.rules.isOpenTo(client)) return 'FORBIDDEN';
    try {
      return (await this.memberships.join(client, room, { username, isRequest: true, claim })) ? undefined : 'CONFLICT';
    } catch (error) {
      if (isUnexpected(error)) this.errors.report('Joining a room failed.', error, client.clientId);
      return toErrorPayload(error).code;
    }
  }

  /** Reads the rooms of a list, each once with the name that the client gave itself last, and the entries that are invalid. */
  #read(client: ClientSession, list: unknown): { labels: Map<string, string | undefined>; refused: RefusedRoom[] } {
    if (!Array.isArray(list) || list.length > MAX_ROOMS) {
      throw new WsError('BAD_MESSAGE', `The rooms are not a list of at most ${MAX_ROOMS}.`);
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
  #isRoom({ codec, options }: ClientSession, room: unknown, entry: unknown): room is string {
    if (!isRoomName(room, options.limits.roomName, this.counters)) return false;
    return codec.name !== 'event.v1' || entry !== room || !room.startsWith(RESERVED_PREFIX);
  }
}

/** An entry is the name of a room, or an object that also has the client's name there. */
function readEntry(entry: unknown): { room?: unknown; username?: unknown } {
  return typeof entry === 'object' && entry !== null ? entry : { room: entry };
}
