import { grouped } from '../lib/bench.js';
import { CONTENDERS } from '../lib/contenders.js';
import { Session } from '../lib/session.js';

const CONNECTIONS = 8_000;
/** Connections come and go before the memory is first read: what code and caches take is no connection's. */
const WARM_UP_MILLISECONDS = 200;
const MESSAGE = '.'.repeat(60_000);
const KIBIBYTE = 1_024;

export const memory = {
  name: 'memory',
  about:
    'What a connection adds to the resident set of a fresh process, garbage collected: with one room, the heartbeat ' +
    'that its server has by default, and 11 handlers where a gateway has them. Then the same after a message of 60 KB ' +
    'from each client.',

  async run(bench) {
    if (bench.profile) return [];
    const count = bench.scaled(CONNECTIONS);
    const names = bench.contenders(['ws', 'platform-ws', 'socket-io', 'bun', 'pxl']);
    const idleOf = ({ idle }) => idle;
    const usedOf = ({ used }) => used;
    return [
      await bench.measureCold({
        title: `${grouped(count)} connections`,
        entries: names.map((name) => ({ name, title: CONTENDERS[name].title })),
        measure: ({ name }) => memoryOf(name, count),
        columns: [
          { title: 'KiB per connection', digits: 2, of: idleOf },
          { title: 'KiB after 60 KB from each', digits: 2, of: usedOf },
        ],
        ratios: [
          { title: 'ours ÷ this', of: idleOf, dividend: 'pxl' },
          { title: 'after 60 KB, ours ÷ this', of: usedOf, dividend: 'pxl' },
        ],
      }),
    ];
  },
};

async function memoryOf(name, count) {
  const session = await Session.open(name, 0, { layout: 'everyone', heartbeat: true });
  try {
    const { server, load, target } = session;
    const residentBytes = async () => (await server.ask('memory')).rss;
    await load.ask('churn', { target, milliseconds: WARM_UP_MILLISECONDS });
    const empty = await residentBytes();
    await session.addClients(count);
    const idle = await residentBytes();
    const { reply } = await load.ask('askEach', { text: CONTENDERS[name].request('size', MESSAGE, 0) });
    if (!reply.includes(String(MESSAGE.length))) throw new Error(`${name} answers ${reply}`);
    const used = await residentBytes();
    return { idle: (idle - empty) / count / KIBIBYTE, used: (used - empty) / count / KIBIBYTE };
  } finally {
    await session.close();
  }
}
