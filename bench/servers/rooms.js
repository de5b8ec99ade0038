const TWENTY = Array.from({ length: 20 }, (_, index) => `room-${index}`);

const LAYOUTS = {
  none: () => [],
  everyone: () => ['room'],
  everyoneInTwenty: () => TWENTY,
  fiftyOfTen: (index) => [`room-${index % 50}`],
  /** Each client in three of fifty rooms, about a hundred in each, and hardly two clients in the same three. */
  threeOfFifty(index) {
    const row = Math.floor(index / 50);
    return [0, 1 + (row % 34), 35 + ((row * 11) % 15)].map((offset) => `room-${(index + offset) % 50}`);
  },
  /** The first hundred share a room; the others spread over the other rooms, each of which gets a member. */
  oneAmongMany(index, { otherClients, otherRooms }) {
    if (index < 100) return ['room'];
    const count = Math.ceil(otherRooms / otherClients);
    return Array.from({ length: count }, (_, i) => (index - 100) * count + i)
      .filter((room) => room < otherRooms)
      .map((room) => `other-${room}`);
  },
};

/** The rooms of the client that came as number `index`. */
export function roomsOf(index, { layout, ...settings }) {
  return LAYOUTS[layout](index, settings);
}

/** So many rooms for each client, one after the other out of all `rooms`, so that each gets as many members. */
export function namesOf(index, { each, rooms, prefix }) {
  return Array.from({ length: each }, (_, i) => `${prefix}-${(index * each + i) % rooms}`);
}

/** Rooms for contenders that bring none: what their users write by hand. */
export class Rooms {
  #members = new Map();

  join(client, names) {
    for (const name of names) {
      let members = this.#members.get(name);
      if (!members) this.#members.set(name, (members = new Set()));
      members.add(client);
    }
  }

  leave(client, names) {
    for (const name of names) {
      const members = this.#members.get(name);
      members?.delete(client);
      if (members?.size === 0) this.#members.delete(name);
    }
  }

  members(name) {
    return this.#members.get(name);
  }
}
