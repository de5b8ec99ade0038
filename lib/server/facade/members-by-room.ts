import type { Room } from '../../rooms/room.js';

/** The rooms as applications see them: by name the ids of the members, as a set that goes with the room. */
export class MembersByRoom implements ReadonlyMap<string, ReadonlySet<string>> {
  constructor(private readonly rooms: ReadonlyMap<string, Room>) {}

  get size(): number {
    return this.rooms.size;
  }

  has(roomName: string): boolean {
    return this.rooms.has(roomName);
  }

  get(roomName: string): ReadonlySet<string> | undefined {
    return this.rooms.get(roomName)?.idSet;
  }

  keys(): MapIterator<string> {
    return this.rooms.keys();
  }

  *values(): MapIterator<ReadonlySet<string>> {
    for (const room of this.rooms.values()) yield room.idSet;
  }

  *entries(): MapIterator<[string, ReadonlySet<string>]> {
    for (const [roomName, room] of this.rooms) yield [roomName, room.idSet];
  }

  [Symbol.iterator](): MapIterator<[string, ReadonlySet<string>]> {
    return this.entries();
  }

  forEach(
    visit: (members: ReadonlySet<string>, roomName: string, rooms: ReadonlyMap<string, ReadonlySet<string>>) => void,
    self?: unknown,
  ): void {
    for (const [roomName, members] of this) visit.call(self, members, roomName, this);
  }
}
