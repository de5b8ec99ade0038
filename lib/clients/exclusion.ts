import type { WsClient } from '../ws-client/ws-client.js';
import type { WsExclusion } from './exclusion.interface.js';

/** From so many names on a set is quicker than a list. */
const MANY = 9;

type Names = readonly string[] | ReadonlySet<string>;

/** Decides for each client whether a message leaves it out. */
export class Exclusion {
  private constructor(
    private readonly clients: Names,
    private readonly users: Names | null,
    private readonly rooms: Names | null,
  ) {}

  /** Undefined where nobody is left out. */
  static of({ exclude, excludeUsers, excludeRooms }: WsExclusion): Exclusion | undefined {
    if (exclude.length === 0 && !excludeUsers && !excludeRooms) return undefined;
    return new Exclusion(
      namesOf(exclude),
      excludeUsers ? namesOf(excludeUsers) : null,
      excludeRooms ? namesOf(excludeRooms) : null,
    );
  }

  /** @param was what the client was called on an earlier connection: nobody else can be meant by that id any more */
  hides({ clientId, user, rooms }: Pick<WsClient, 'clientId' | 'user' | 'rooms'>, was?: string): boolean {
    if (has(this.clients, clientId) || (was !== undefined && has(this.clients, was))) return true;
    if (this.users && user && has(this.users, user.userId)) return true;
    return this.rooms !== null && haveCommon(this.rooms, rooms);
  }
}

function namesOf(names: readonly string[]): Names {
  return names.length < MANY ? names : new Set(names);
}

function has(names: Names, name: string): boolean {
  return 'has' in names ? names.has(name) : names.includes(name);
}

function haveCommon(names: Names, rooms: ReadonlySet<string>): boolean {
  if (!('has' in names)) return names.some((name) => rooms.has(name));
  for (const room of rooms) if (names.has(room)) return true;
  return false;
}
