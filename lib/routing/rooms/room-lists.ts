import { Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { isUnexpected, toErrorPayload } from '../../errors/exception-mapper.js';
import { WsError } from '../../errors/ws.error.js';
import type { ReplayVerdict } from '../../history/room-history.interface.js';
import { RawJson } from '../../protocol/raw-json.js';
import { isUsername } from '../../rooms/member-details.js';
import { ClientRooms } from '../../rooms/client-rooms.js';
import type { ReplayFields } from './replay-fields.js';
import type { Joined, JoinRequest, PresenceFields, RequestedJoin } from './requested-joins.js';
import { logSubject } from '../../clients/session/session-context.js';

/** A room of a list that was not joined or left, and why. */
export interface RefusedRoom {
  /** The name that the client gave; null when it was not a text. */
  readonly room: string | null;
  readonly code: string;
}

/** What a client gets of a room with history or presence that it has joined. */
export interface JoinedRoom extends Partial<ReplayVerdict> {
  readonly room: string;
  /** Who is there, as fields of a JSON object; undefined where the client has not asked for it. */
  readonly list?: string | undefined;
}

/** The outcome for a list of rooms: those that were joined or left, and the others. */
export interface RoomListAnswer {
  readonly rooms: readonly string[];
  readonly refused: readonly RefusedRoom[];
  /** Those of the joined rooms of which there is more to tell; left out when there is none. */
  readonly joined?: readonly JoinedRoom[] | undefined;
}

interface Outcome {
  readonly room: string;
  /** Of the refusal; undefined when the room was joined. */
  readonly code?: string;
  readonly joined?: Joined;
}

/** How many rooms one list can have. How many a client can be in is limited by `limits.roomsPerClient`. */
const MAX_ROOMS = 1_024;

/** As long as what stands around an answer, with the longest id. */
const FRAME = ' '.repeat(256);

/** How the names of Ignis' own channels begin: its clients cannot join rooms with such a name. */
const RESERVED_PREFIX = 'ws:';

/** Requests of clients to join or leave several rooms at once: each room is joined, left or refused by itself. */
@Injectable()
export class RoomLists {
  constructor(
    private readonly rooms: ClientRooms,
    private readonly errors: ErrorReporter,
  ) {}

  /**
   * Joins the rooms of a list.
   *
   * @param joins is confirmed once all rooms are joined or refused
   * @throws WsError BAD_MESSAGE when `list` is not an array of at most 1,024; TOO_LARGE when the answer is over
   * `limits.maxPushBytes`: the client is in none of the rooms then
   */
  async join(client: ClientSession, list: unknown, joins: JoinRequest): Promise<RoomListAnswer> {
    const { wishes, refused } = this.#read(client, list);
    const outcomes = await Promise.all([...wishes].map(([room, wish]) => this.#join(client, room, wish, joins)));
    const rooms: string[] = [];
    const joined: JoinedRoom[] = [];
    for (const { room, code, joined: one } of outcomes) {
      // In one-room mode a later room of the list has taken the place of this one.
      if (!one || !client.rooms.has(one.key)) {
        refused.push({ room, code: code ?? 'CONFLICT' });
        continue;
      }
      rooms.push(room);
      const members = joins.membersOf(one.key);
      if (one.verdict || members !== undefined) joined.push({ room, ...one.verdict, list: members });
    }
    const answer = { rooms, refused, joined: joined.length > 0 ? joined : undefined };
    this.#checkSize(client, answer, joins);
    joins.confirm();
    return answer;
  }

  /** A client that is told TOO_LARGE must not find itself in the rooms. */
  #checkSize(client: ClientSession, answer: RoomListAnswer, joins: JoinRequest): void {
    if (client.options.limits.maxPushBytes === false) return;
    try {
      const told = answerOf(answer);
      client.checkSize((told instanceof RawJson ? told.text : JSON.stringify(told)) + FRAME);
    } catch (error) {
      joins.withdraw();
      throw error;
    }
  }

  /**
   * Leaves the rooms of a list.
   *
   * @throws WsError as {@link join}
   */
  leave(client: ClientSession, list: unknown): RoomListAnswer {
    const { wishes, refused } = this.#read(client, list);
    const rooms = [...wishes.keys()];
    for (const room of rooms) this.rooms.leave(client, room);
    return { rooms, refused };
  }

  /** Joins one room. Never rejects: a refusal has a code. */
  async #join(client: ClientSession, room: string, wish: RequestedJoin, joins: JoinRequest): Promise<Outcome> {
    try {
      return { room, joined: await joins.join(room, wish) };
    } catch (error) {
      if (isUnexpected(error)) this.errors.report('Joining a room failed.', error, logSubject(client));
      return { room, code: toErrorPayload(error).code };
    }
  }

  /** Reads the rooms of a list, each once with what the client has said last, and the entries that are invalid. */
  #read(client: ClientSession, list: unknown): { wishes: Map<string, RequestedJoin>; refused: RefusedRoom[] } {
    if (!Array.isArray(list) || list.length > MAX_ROOMS) {
      throw new WsError('BAD_MESSAGE', `The rooms are not a list of at most ${MAX_ROOMS}.`);
    }
    const wishes = new Map<string, RequestedJoin>();
    const refused = new Map<unknown, RefusedRoom>();
    for (const entry of list as unknown[]) {
      const { room, username, ...replay } = readEntry(entry);
      if (!this.#isRoom(client, room, entry)) {
        const name = typeof room === 'string' ? room : null;
        refused.set(name ?? entry, { room: name, code: 'INVALID_ROOM' });
      } else if (isUsername(username)) {
        const earlier = wishes.get(room);
        wishes.set(room, { ...earlier, ...replay, username: username ?? earlier?.username });
        refused.delete(room);
      } else {
        wishes.delete(room);
        refused.set(room, { room, code: 'BAD_MESSAGE' });
      }
    }
    return { wishes, refused: [...refused.values()] };
  }

  /** Clients of Ignis name rooms as bare texts. */
  #isRoom(client: ClientSession, room: unknown, entry: unknown): room is string {
    if (!this.rooms.isName(client, room)) return false;
    return client.codec.name !== 'event.v1' || entry !== room || !room.startsWith(RESERVED_PREFIX);
  }
}

/** The outcome as it is sent: lists of members are text already. */
export function answerOf({ joined, ...answer }: RoomListAnswer): unknown {
  if (!joined?.some(({ list }) => list !== undefined)) return { ...answer, joined };
  const texts = joined.map(({ list, ...room }) =>
    list === undefined ? JSON.stringify(room) : RawJson.withFields(room, list),
  );
  return new RawJson(RawJson.withFields(answer, `"joined":[${texts.join(',')}]`));
}

/** An entry is the name of a room, or an object that also says how the client wants to join it. */
function readEntry(entry: unknown): { room?: unknown; username?: unknown } & ReplayFields & PresenceFields {
  return typeof entry === 'object' && entry !== null ? entry : { room: entry };
}
