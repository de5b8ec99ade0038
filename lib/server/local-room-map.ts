import type { RoomManager } from '../rooms/room-manager.js';

type Members = ReadonlySet<string>;

/** The rooms that clients of this worker are in, with the ids of these. Reads as a map; a room's ids are of the moment. */
export class LocalRoomMap implements ReadonlyMap<string, Members> {
  constructor(private readonly rooms: RoomManager) {}

  get size(): number {
    return [...this.keys()].length;
  }

  get(roomName: string): Members | undefined {
    const clients = this.rooms.localOf(roomName);
    return clients?.size ? new Set([...clients].map(({ clientId }) => clientId)) : undefined;
  }

  has(roomName: string): boolean {
    return (this.rooms.localOf(roomName)?.size ?? 0) > 0;
  }

  forEach(callback: (members: Members, roomName: string, map: ReadonlyMap<string, Members>) => void): void {
    for (const [roomName, members] of this) callback(members, roomName, this);
  }

  *keys(): MapIterator<string> {
    for (const roomName of this.rooms.rooms.keys()) if (this.has(roomName)) yield roomName;
  }

  *values(): MapIterator<Members> {
    for (const [, members] of this) yield members;
  }

  entries(): MapIterator<[string, Members]> {
    return this[Symbol.iterator]();
  }

  *[Symbol.iterator](): MapIterator<[string, Members]> {
    for (const roomName of this.keys()) {
      const members = this.get(roomName);
      if (members) yield [roomName, members];
    }
  }
}
