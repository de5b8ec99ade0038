import { grouped } from '../lib/bench.js';
import { CONTENDERS } from '../lib/contenders.js';
import { JitterSession } from '../lib/jitter-session.js';

const CLIENTS = 400;
const MESSAGES = 120;
const PAUSE_MILLISECONDS = 500;
const PERIOD_MILLISECONDS = 15_000;
const AWAY_MILLISECONDS = 2_000;
const HISTORY = { size: 1_000, ttl: 60_000 };

/** A server that is killed and started again, and five cuts of all subscribers. */
const TROUBLES = [
  { at: 0.5, make: (session) => session.killServer() },
  ...[0.1, 0.3, 0.45, 0.7, 0.9].map((at) => ({ at, make: (session) => session.cutSubscribers() })),
];

export const jitter = {
  name: 'jitter',
  about:
    'A room on two workers with a Redis between them. Each client loses its network every 15 s for 2 s, and comes back by ' +
    'its own library with the defaults of that. What it missed meanwhile comes late, or never. One run of a minute each; ' +
    'times are from the moment at which the network is back, and from that at which the client is connected, until the ' +
    'receipt of what was missed.',

  async run(bench) {
    if (bench.profile) return [];
    const [clients, messages] = [bench.scaled(CLIENTS), bench.scaled(MESSAGES)];
    const plain = ['socket-io', 'socket-io-streams', 'pxl', 'pxl-history'];
    const robust = ['socket-io-streams', 'pxl-history'];
    const tables = [];
    for (const [names, troubles, what] of [
      [plain, [], 'clients are cut'],
      [robust, TROUBLES, 'and a worker is killed, and all subscribers are cut five times'],
    ]) {
      const rows = [];
      for (const name of bench.contenders(names)) {
        bench.log(`  ${CONTENDERS[name].title}, ${what}`);
        rows.push([titleOf(name), await runOf(name, clients, messages, troubles)]);
      }
      tables.push(tableOf(`${grouped(clients)} clients, ${messages} messages: ${what}`, rows));
    }
    return tables;
  },
};

async function runOf(name, clients, messages, troubles) {
  const settings = name === 'pxl-history' ? { history: HISTORY } : {};
  const session = await JitterSession.open(name, clients, settings);
  try {
    const times = { pause: PAUSE_MILLISECONDS, period: PERIOD_MILLISECONDS, away: AWAY_MILLISECONDS };
    return await session.run({ messages, ...times, troubles });
  } finally {
    await session.close();
  }
}

function titleOf(name) {
  return name === 'socket-io' ? 'Socket.IO, Redis adapter' : CONTENDERS[name].title;
}

const COLUMNS = [
  ['delivered', ({ delivered, expected }) => `${((100 * delivered) / expected).toFixed(2)} %`],
  ['duplicates', ({ duplicates }) => duplicates],
  ['out of order', ({ disorder }) => disorder],
  ['missing without a word', ({ silent }) => silent],
  ['ms since the network is back, p50 / p99 / max', ({ sinceNetwork }) => threeOf(sinceNetwork)],
  ['ms since the client is connected, p50 / p99 / max', ({ sinceConnection }) => threeOf(sinceConnection)],
];

function tableOf(title, rows) {
  const head = ['', ...COLUMNS.map(([name]) => name)];
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  const body = rows.map(([name, result]) => [name, ...COLUMNS.map(([, of]) => of(result))]);
  return [`### ${title}`, [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')].join('\n\n');
}

function threeOf({ p50, p99, max }) {
  return [p50, p99, max].map(grouped).join(' / ');
}
