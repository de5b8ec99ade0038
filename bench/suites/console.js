import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { grouped } from '../lib/bench.js';
import { CONTENDERS } from '../lib/contenders.js';
import { cpuOf } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

const NAMES = ['pxl', 'pxl-console', 'pxl-looked-at'];
const CLIENTS = 5_000;
const ASKING = 50;
/** Milliseconds of a sample of idle clients: a page gets one of its own each second. */
const WATCHED = 5_000;
/** 200 bytes of JSON. */
const DATA = { text: '.'.repeat(189) };

export const consoleSuite = {
  name: 'console',
  about:
    'Ours alone: what the console costs, beside the same without it. A page that looks gets the live sample once a second, and asks ' +
    'for the routes once a second. First with clients that say nothing, then with clients that ask as fast as they are answered.',

  async run(bench) {
    const clients = bench.scaled(CLIENTS);
    const idle = await withPages(bench, clients, (entries) =>
      bench.measure({
        title: `${grouped(clients)} clients that say nothing`,
        entries,
        duration: WATCHED,
        async measure({ session }, milliseconds) {
          const before = performance.now();
          const { cpu: start } = await session.server.ask('cpu');
          await setTimeout(milliseconds);
          const { cpu: end } = await session.server.ask('cpu');
          return { share: (end - start) / 10 / (performance.now() - before) };
        },
        columns: [{ title: 'server CPU, % of one core', digits: 2, of: ({ share }) => share }],
        ratios: [],
      }),
    );
    const asking = await withPages(bench, ASKING, (entries) =>
      bench.measure({
        title: 'requests in flight per client: 10',
        entries,
        async measure({ session }, milliseconds) {
          const { request } = CONTENDERS[session.name];
          const texts = Array.from({ length: 10 }, (_, id) => request('echo', DATA, id));
          const { count, cpu } = await session.timed('requests', { texts, milliseconds });
          return { cpu: cpu / count };
        },
        columns: [{ title: 'server CPU per request, µs', digits: 2, of: cpuOf }],
        ratios: [{ title: 'CPU, this ÷ without', of: cpuOf, divisor: 'pxl' }],
      }),
    );
    return [idle, asking];
  },
};

/** Opens the entries, and a page for the one that is looked at. */
function withPages(bench, clients, work) {
  const open = (name) => openEntry(name, clients);
  return withEntries(bench.contenders(NAMES), open, async (entries) => {
    const looked = entries.filter(({ name }) => name === 'pxl-looked-at');
    const pages = await Promise.all(looked.map(({ session }) => look(session.target.port)));
    try {
      return await work(entries);
    } finally {
      for (const close of pages) close();
    }
  });
}

/** A page that shows the workers and the routes. */
async function look(port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/console/socket`, 'pxl.v1');
  const ask = (type, action) => socket.send(JSON.stringify({ type, action, id: action }));
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  ask('live', 'watch');
  const timer = setInterval(() => ask('routes', 'list'), 1_000);
  await new Promise((resolve) => {
    socket.on('message', (data) => String(data).includes('"action":"sample"') && resolve());
  });
  return () => {
    clearInterval(timer);
    socket.close();
  };
}
