import { Injectable } from '@nestjs/common';
import type { ClientEnd } from '../clients/client-listener.interface.js';
import type { MirroredClient } from '../clients/remote-client.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { has, type Few } from '../runtime/few.js';
import { MemberDetails } from './member-details.js';
import type { DetailChange, MemberDetail, Membership, MembershipChange, RoomListener } from './membership.js';
import { Room } from './room.js';

/**
 * Which client of any worker is in which room. A room exists while it has members. How a client of this worker gets in and
 * out is decided by {@link Memberships}, which alone calls `enter` and `exit`.
 */
@Injectable()
export class RoomRegistry {
  readonly #rooms = new Map<string, Room>();
  readonly #details = new MemberDetails();
  readonly #listeners: RoomListener[] = [];

  /** Every room that has members. */
  get rooms(): ReadonlyMap<string, Room> {
    return this.#rooms;
  }

  /** The ids of a room's members on all workers, at present; undefined when there is no such room. */
  membersOf(roomName: string): Iterable<string> | undefined {
    return this.#rooms.get(roomName)?.ids;
  }

  /** Whether a client of any worker is in a room. */
  isMember(clientId: string, roomName: string): boolean {
    return this.#rooms.get(roomName)?.has(clientId) ?? false;
  }

  /** The clients of this worker in a room. */
  localOf(roomName: string): Few<ClientSession> | undefined {
    return this.#rooms.get(roomName)?.clients;
  }

  /** Whether a client of this worker is in a room: its own `rooms` say where it was when its connection ended. */
  holds(client: ClientSession, roomName: string): boolean {
    const clients = this.#rooms.get(roomName)?.clients;
    return clients !== undefined && has(clients, client);
  }

  /** What a client is called: in the room that it joined last, else in the room where it got a name last. */
  usernameOf(client: ClientSession): string | undefined {
    const { roomName } = client;
    const username = roomName === null ? undefined : this.usernameIn(client, roomName);
    return username ?? this.#details.newestUsernameOf(client);
  }

  usernameIn(client: ClientSession, roomName: string): string | undefined {
    return this.#details.of(client, roomName).username;
  }

  /** What the other members of a room see of a client of this worker. */
  detailOf(client: ClientSession, roomName: string): MemberDetail {
    return this.#details.of(client, roomName);
  }

  /** The memberships of a client of this worker. */
  *membershipsOf(client: ClientSession): Generator<Membership> {
    for (const roomName of client.rooms) {
      const { username, profile } = this.#details.of(client, roomName);
      yield { client, roomName, username, profile };
    }
  }

  /** Adds a listener. Listeners are called in the order in which they were added. */
  listen(listener: RoomListener): void {
    this.#listeners.push(listener);
  }

  /** Adds a member of this worker, and the room to its own. */
  enter(key: string, entrance: Omit<MembershipChange, 'roomName'>): void {
    const { client, username, profile, broadcast, isRequest } = entrance;
    const room = this.#roomOf(key);
    // The room's own text: whoever keeps that keeps no copy of the name.
    const { name: roomName } = room;
    client.roomSet.add(roomName);
    client.roomName = roomName;
    room.enter(client);
    const change: MembershipChange = { client, roomName, username, profile, broadcast, isRequest };
    this.#details.change(client, roomName, change);
    for (const listener of this.#listeners) listener.joined?.(change);
  }

  /** Removes a member of this worker. */
  exit(client: ClientSession, roomName: string, broadcast: boolean, end?: ClientEnd): void {
    const room = this.#rooms.get(roomName);
    room?.exit(client);
    if (room?.size === 0) this.#rooms.delete(roomName);
    const { username, profile } = this.#details.take(client, roomName);
    const change: MembershipChange = { client, roomName, username, profile, broadcast, isRequest: false, end };
    for (const listener of this.#listeners) listener.left?.(change);
  }

  /** Changes what the other members see of a member. */
  describe(client: ClientSession, roomName: string, change: DetailChange): void {
    if (!this.#details.change(client, roomName, change)) return;
    const { username, profile } = this.#details.of(client, roomName);
    for (const listener of this.#listeners) listener.described?.({ client, roomName, username, profile });
  }

  /** Adds a member of another worker. */
  enterRemote(client: MirroredClient, roomName: string, username: string | undefined): void {
    const room = this.#roomOf(roomName);
    client.enter(room.name, username);
    room.add(client.clientId);
  }

  /** Removes a member of another worker. */
  exitRemote(client: MirroredClient, roomName: string): void {
    client.exit(roomName);
    const room = this.#rooms.get(roomName);
    room?.delete(client.clientId);
    if (room?.size === 0) this.#rooms.delete(roomName);
  }

  /** Tells the listeners that a room is now the own room of a client. */
  reserve(roomName: string): void {
    for (const listener of this.#listeners) listener.reserved?.(roomName);
  }

  #roomOf(roomName: string): Room {
    let room = this.#rooms.get(roomName);
    if (!room) this.#rooms.set(roomName, (room = new Room(roomName)));
    return room;
  }
}
