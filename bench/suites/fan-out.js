import { grouped } from '../lib/bench.js';
import { measureDeliveries } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

export const fanOut = {
  name: 'fan-out',
  about:
    'One room that everybody is in, 200 bytes of text a message. A turn sends its messages in one tick; the next turn ' +
    'begins when everything has arrived.',

  async run(bench) {
    const names = bench.contenders([
      'c-send',
      'socket-write-joined',
      'socket-write',
      'ws',
      'platform-ws',
      'socket-io',
      'bun',
      'bun-enveloped',
      'pxl',
    ]);
    const tables = [];
    for (const size of [1_000, 5_000]) {
      const clients = bench.scaled(size);
      const open = (name) => openEntry(name, clients, { layout: 'everyone' });
      await withEntries(names, open, async (entries) => {
        for (const messages of [1, 10]) {
          tables.push(
            await measureDeliveries(bench, {
              title: `${grouped(clients)} clients, messages per turn: ${messages}`,
              entries,
              turn: { to: 'rooms', targets: ['room'], messages },
              deliveries: clients,
            }),
          );
        }
      });
    }
    return tables;
  },
};
