import { grouped } from '../lib/bench.js';
import { CONTENDERS } from '../lib/contenders.js';
import { cpuOf, measureDeliveries } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

const NAMES = ['pxl', 'pxl-metrics'];
const ASKING = 50;
const MEMBERS = [1_000, 5_000];
/** 200 bytes of JSON. */
const DATA = { text: '.'.repeat(189) };
const PAGES = 20;

const ratios = [{ title: 'CPU, this ÷ without', of: cpuOf, divisor: 'pxl' }];

export const metrics = {
  name: 'metrics',
  about:
    'Ours alone: what `metrics.registry` costs, beside the same without it, in the same rounds. First as in `requests` and ' +
    '`fan-out`; then a page of the registry (`registry.metrics()`) by how many clients are connected.',

  async run(bench) {
    const tables = await withEntries(
      bench.contenders(NAMES),
      (name) => openEntry(name, ASKING),
      async (entries) => {
        const measured = [];
        for (const inFlight of [1, 10]) measured.push(await costOfRequests(bench, entries, inFlight));
        return measured;
      },
    );
    for (const size of MEMBERS) tables.push(...(await fanOut(bench, bench.scaled(size))));
    return tables;
  },
};

/** The CPU of a request, beside the same of the library as it comes. */
export function costOfRequests(bench, entries, inFlight) {
  return bench.measure({
    title: `requests in flight per client: ${inFlight}`,
    entries,
    async measure({ session }, milliseconds) {
      const { request } = CONTENDERS[session.name];
      const texts = Array.from({ length: inFlight }, (_, id) => request('echo', DATA, id));
      const { count, cpu } = await session.timed('requests', { texts, milliseconds });
      return { cpu: cpu / count };
    },
    columns: [{ title: 'server CPU per request, µs', digits: 2, of: cpuOf }],
    ratios,
  });
}

function fanOut(bench, clients) {
  const open = (name) => openEntry(name, clients, { layout: 'everyone' });
  return withEntries(bench.contenders(NAMES), open, async (entries) => {
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
    const shown = entries.filter(({ name }) => name === 'pxl-metrics');
    if (shown.length > 0 && !bench.profile) tables.push(await pages(bench, shown, clients));
    return tables;
  });
}

function pages(bench, entries, clients) {
  return bench.measure({
    title: `a page, ${grouped(clients)} clients`,
    entries,
    measure: ({ session }) => session.server.ask('pages', { count: PAGES }),
    columns: [
      { title: 'server CPU per page, ms', digits: 2, of: ({ cpu }) => cpu / 1_000 / PAGES },
      { title: 'bytes', digits: 0, of: ({ bytes }) => bytes },
    ],
    ratios: [],
  });
}
