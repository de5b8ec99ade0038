import { grouped } from '../lib/bench.js';
import { cpuOf, measureDeliveries } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

const ratios = [{ title: 'CPU, this ÷ plain', of: cpuOf, divisor: 'pxl' }];

export const encryption = {
  name: 'encryption',
  about:
    'What the built-in cipher costs: a room whose clients are encrypted, beside the same room in clear. 200 bytes of text ' +
    'a message, which is encrypted for each client anew; for clients that read sealed lists, all of a turn together.',

  async run(bench) {
    const names = bench.contenders(['pxl', 'pxl-encrypted', 'pxl-encrypted-lists']);
    const clients = bench.scaled(1_000);
    const open = (name) => openEntry(name, clients, { layout: 'everyone' });
    return withEntries(names, open, async (entries) => {
      const tables = [];
      for (const messages of [1, 10]) {
        tables.push(
          await measureDeliveries(bench, {
            title: `${grouped(clients)} clients, messages per turn: ${messages}`,
            entries,
            turn: { to: 'rooms', targets: ['room'], messages },
            deliveries: clients,
            ratios,
          }),
        );
      }
      return tables;
    });
  },
};
