import { grouped } from '../lib/bench.js';
import { measureDeliveries } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

const ROOMS = Array.from({ length: 50 }, (_, index) => `room-${index}`);
const ROOM_SIZE = 100;
const ROOMS_PER_CLIENT = 3;

export const rooms = {
  name: 'rooms',
  about:
    'Fifty rooms of a hundred, every client in three of them, one message to each room a turn; and messages to each of ' +
    'a thousand clients, another one for each. 200 bytes of text.',

  async run(bench) {
    const names = bench.contenders(['socket-write', 'ws', 'platform-ws', 'socket-io', 'bun', 'pxl']);
    return [await manyRooms(bench, names), ...(await clientByClient(bench, names))];
  },
};

function manyRooms(bench, names) {
  const clients = bench.scaled(Math.ceil((ROOMS.length * ROOM_SIZE) / ROOMS_PER_CLIENT));
  const open = (name) => openEntry(name, clients, { layout: 'threeOfFifty' });
  return withEntries(names, open, (entries) =>
    measureDeliveries(bench, {
      title: `50 rooms, ${grouped(clients)} clients in 3 rooms each, messages per turn: 1 to each room`,
      entries,
      turn: { to: 'rooms', targets: ROOMS, messages: 1 },
      deliveries: clients * ROOMS_PER_CLIENT,
    }),
  );
}

function clientByClient(bench, names) {
  const clients = bench.scaled(1_000);
  const targets = Array.from({ length: clients }, (_, index) => index);
  const open = (name) => openEntry(name, clients, { addressed: true });
  return withEntries(names, open, async (entries) => {
    const tables = [];
    for (const messages of [1, 10]) {
      tables.push(
        await measureDeliveries(bench, {
          title: `${grouped(clients)} clients one by one, messages per turn: ${messages} to each client`,
          entries,
          turn: { to: 'clients', targets, messages },
          deliveries: clients,
        }),
      );
    }
    return tables;
  });
}
