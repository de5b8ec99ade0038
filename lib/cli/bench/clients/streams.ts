import type { BenchOptions } from '../options/bench-options.js';

/** The messages of one sender to one room; where there are no rooms, the requests of one client. */
export interface Stream {
  readonly index: number;
  /** The number of the client that sends. */
  readonly sender: number;
  /** The number of the room; -1 where there are no rooms. */
  readonly room: number;
  /** When its first message is due, ms after the start. */
  readonly offset: number;
}

/** Who is in which room, who sends, and when: known to each process beforehand, so that none has to ask another. */
export class Streams {
  readonly all: readonly Stream[];
  /** The time between two messages of one stream, ms. */
  readonly period: number;
  #bySender: Map<number, Stream[]> | undefined;

  constructor(private readonly options: BenchOptions) {
    const { clients, rooms, rate } = options;
    const turn = 1_000 / rate;
    if (rooms === 0) {
      this.period = turn;
      this.all = Array.from({ length: clients }, (_, index) => {
        return { index, sender: index, room: -1, offset: (index / clients) * turn };
      });
      return;
    }
    const senders = Math.min(options.senders, this.membersOf(rooms - 1).length);
    this.period = senders * turn;
    this.all = Array.from({ length: rooms }, (_, room) => this.membersOf(room).slice(0, senders)).flatMap(
      (members, room) =>
        members.map((sender, place) => {
          // The rooms take turns too: otherwise all of them would be sent to at one moment.
          return { index: room * senders + place, sender, room, offset: (place + room / rooms) * turn };
        }),
    );
  }

  /** The numbers of the rooms that a client is in. */
  roomsOf(client: number): number[] {
    const { rooms, roomsPerClient } = this.options;
    return Array.from({ length: Math.min(rooms, roomsPerClient) }, (_, more) => (client + more) % rooms);
  }

  /** The numbers of a room's clients; the last room is never larger than others. */
  membersOf(room: number): number[] {
    const { clients, rooms, roomsPerClient } = this.options;
    const members: number[] = [];
    for (let less = 0; less < roomsPerClient; less++) {
      for (let client = (room - less + rooms) % rooms; client < clients; client += rooms) members.push(client);
    }
    return members.sort((one, other) => one - other);
  }

  /** What a client sends. */
  ofSender(client: number): readonly Stream[] {
    if (!this.#bySender) {
      this.#bySender = new Map();
      for (const stream of this.all) {
        const own = this.#bySender.get(stream.sender);
        if (own) own.push(stream);
        else this.#bySender.set(stream.sender, [stream]);
      }
    }
    return this.#bySender.get(client) ?? [];
  }

  /** What is sent to a room. */
  toRoom(room: number): readonly Stream[] {
    const senders = this.all.length / this.options.rooms;
    return this.all.slice(room * senders, (room + 1) * senders);
  }

  /** When a message is due, ms after the start. */
  dueAt({ offset }: Stream, number: number): number {
    return offset + number * this.period;
  }
}
