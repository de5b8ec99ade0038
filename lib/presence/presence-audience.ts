import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import type { AckSource } from '../clients/session/route.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { MembershipChange, RoomListener } from '../rooms/membership.js';
import { RoomNames } from '../rooms/room-names.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { PresencePush } from './presence-push.js';
import type { PresenceRoom } from './presence-room.js';
import { Presences } from './presences.js';
import type { PresenceListener } from './room-presence.interface.js';

/**
 * What waits for a member: pushes, until it has its list; or the whole list, until its socket has taken what was sent before
 * (`behind`). Null: nothing does.
 */
type Waiting = PresencePush[] | 'behind' | null;

/** The members of one room, on this worker, that are told who is there. */
interface Audience {
  readonly room: PresenceRoom;
  readonly members: Map<ClientSession, Waiting>;
  /** When the room was told last (monotonic, ms). */
  toldAt: number;
  /** The next cut; null: nothing has changed since the last one. */
  next: RuntimeTimer | null;
}

/**
 * Tells the members on this worker who is in their rooms: a list, and then the differences as `room.presence`. The first change is
 * told at the end of the turn, and what follows once per `interval`.
 */
@Injectable()
export class PresenceAudience implements RoomListener, PresenceListener, OnApplicationShutdown {
  readonly #audiences = new Map<string, Audience>();
  readonly #names: RoomNames;

  constructor(
    private readonly presences: Presences,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /**
   * Has a member told from now on.
   *
   * @param exchange what is told before it is answered waits for its answer, which has the list
   * @param bytes how many other lists in the same answer have: together they take at most half of `limits.maxPushBytes`
   * @returns the list as fields of a JSON object; undefined in a room without presence. In the place of one that would be too
   * long it follows the answer as a push
   */
  add(client: ClientSession, roomName: string, exchange: AckSource, bytes = 0): string | undefined {
    const room = this.presences.roomOf(roomName);
    const entry = room?.entryOf(client.clientId);
    // A client that is gone may stay for its grace, and keeps the names of its rooms.
    if (!room || !entry || entry.until !== undefined) return undefined;
    const audience = this.#audienceOf(room);
    // Now rather than at the end of the turn, so that a joiner finds itself in its list.
    if (audience.next && this.#waitOf(audience) <= 0) this.#cut(audience);
    const { maxPushBytes } = client.options.limits;
    const isLong = maxPushBytes !== false && bytes + Buffer.byteLength(room.list) > maxPushBytes / 2;
    const held: PresencePush[] = [];
    audience.members.set(client, held);
    exchange.whenAnswered(() => {
      if (audience.members.get(client) !== held) return;
      audience.members.set(client, null);
      if (isLong) this.#send(audience, client, this.#pushOf(room, room.standing));
      else for (const push of held) this.#send(audience, client, push);
    });
    return isLong ? room.brief : room.list;
  }

  /** Has a member told no more. */
  remove(client: ClientSession, roomName: string): void {
    const audience = this.#audiences.get(roomName);
    if (!audience?.members.delete(client) || audience.members.size > 0) return;
    audience.next?.cancel();
    audience.room.end();
    this.#audiences.delete(roomName);
  }

  left({ client, roomName }: MembershipChange): void {
    this.remove(client, roomName);
  }

  changed(roomName: string): void {
    const audience = this.#audiences.get(roomName);
    if (!audience || audience.next) return;
    const cut = (): void => this.#cut(audience);
    const wait = this.#waitOf(audience);
    audience.next = wait > 0 ? this.runtime.timeout(wait, cut) : this.#atTurnsEnd(cut);
  }

  onApplicationShutdown(): void {
    for (const { next } of this.#audiences.values()) next?.cancel();
  }

  #audienceOf(room: PresenceRoom): Audience {
    let audience = this.#audiences.get(room.name);
    if (audience) return audience;
    audience = { room, members: new Map<ClientSession, Waiting>(), toldAt: -Infinity, next: null };
    this.#audiences.set(room.name, audience);
    room.begin();
    return audience;
  }

  /** How long the room may not be told anything yet, in ms. */
  #waitOf({ toldAt, room }: Audience): number {
    return toldAt + room.rules.interval - this.runtime.monotonic();
  }

  #cut(audience: Audience): void {
    audience.next?.cancel();
    audience.next = null;
    const { room, members } = audience;
    const fields = room.cut();
    if (fields === null) return;
    audience.toldAt = this.runtime.monotonic();
    const push = this.#pushOf(room, fields);
    for (const [client, waiting] of members) {
      if (waiting === null) this.#send(audience, client, push);
      else if (waiting !== 'behind') waiting.push(push);
    }
  }

  /** Of a client over its budget, messages may be dropped: with one of them missing its list would be wrong for good. */
  #send(audience: Audience, client: ClientSession, push: PresencePush): void {
    const { members, room } = audience;
    if (members.get(client) === 'behind') return;
    if (!client.backpressured) {
      push.sendTo(client);
      return;
    }
    members.set(client, 'behind');
    client.whenDrained(() => {
      if (members.get(client) !== 'behind') return;
      members.set(client, null);
      this.#send(audience, client, this.#pushOf(room, room.standing));
    });
  }

  #pushOf({ name }: PresenceRoom, fields: string): PresencePush {
    return new PresencePush(this.#names.nameOf(name), fields);
  }

  #atTurnsEnd(callback: () => void): RuntimeTimer {
    let isCancelled = false;
    this.runtime.afterIo(() => {
      if (!isCancelled) callback();
    });
    return { cancel: () => (isCancelled = true) };
  }
}
