import { grouped } from '../lib/bench.js';
import { cpuOf, measureDeliveries } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

const MEMBERS = 100;
const TICKS = 20;

export const growth = {
  name: 'growth',
  about:
    'Ours alone: what a delivery to one room of a hundred costs while the server holds other rooms and other clients. ' +
    'One message a tick.',

  async run(bench) {
    const cells = [1_000, 8_000].flatMap((clients) =>
      [0, 10_000].map((rooms) => ({ otherClients: bench.scaled(clients), otherRooms: bench.scaled(rooms) })),
    );
    const open = async (cell) => {
      const { session } = await openEntry('pxl', MEMBERS + cell.otherClients, { layout: 'oneAmongMany', ...cell });
      const title = `${grouped(cell.otherClients)} other clients, ${grouped(cell.otherRooms)} other rooms`;
      return { name: title, title, session };
    };
    return withEntries(cells, open, async (entries) => [
      await measureDeliveries(bench, {
        title: 'one room of 100 clients',
        entries,
        turn: { to: 'rooms', targets: ['room'], messages: 1, ticks: TICKS },
        deliveries: MEMBERS,
        ratios: [{ title: 'CPU, this ÷ the first', of: cpuOf, divisor: entries[0].name }],
      }),
    ]);
  },
};
