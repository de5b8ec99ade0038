import { openEntry, withEntries } from '../lib/session.js';

export const connections = {
  name: 'connections',
  about:
    'Connections that are upgraded, get their welcome and are then closed by the client without a close frame, 64 at a ' +
    'time.',

  async run(bench) {
    const names = bench.contenders(['ws', 'platform-ws', 'socket-io', 'bun', 'pxl']);
    const rateOf = ({ rate }) => rate;
    const open = (name) => openEntry(name, 0);
    return withEntries(names, open, async (entries) => [
      await bench.measure({
        title: 'connections accepted',
        entries,
        async measure({ session }, milliseconds) {
          const { count, seconds, cpu } = await session.timed('churn', { target: session.target, milliseconds });
          return { rate: count / seconds, cpu: cpu / count };
        },
        columns: [
          { title: 'connections per second', digits: 0, of: rateOf },
          { title: 'server CPU per connection, µs', digits: 1, of: ({ cpu }) => cpu },
        ],
        ratios: [{ title: 'rate, ours ÷ this', of: rateOf, dividend: 'pxl' }],
      }),
    ]);
  },
};
