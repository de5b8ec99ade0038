import { CONTENDERS } from '../lib/contenders.js';
import { cpuOf, measureDeliveries } from '../lib/deliveries.js';
import { openEntry, withEntries } from '../lib/session.js';

const NAMES = ['pxl', 'pxl-sampled', 'pxl-traced'];
const ASKING = 50;
const MEMBERS = 1_000;
/** 200 bytes of JSON. */
const DATA = { text: '.'.repeat(189) };

const ratios = [{ title: 'CPU, this ÷ without', of: cpuOf, divisor: 'pxl' }];

export const traces = {
  name: 'traces',
  about:
    'Ours alone: what spans cost, beside the same without an SDK of OpenTelemetry, in the same rounds, as in `requests` and ' +
    '`fan-out`. The SDK is that of Node with a `BatchSpanProcessor`, whose exporter drops what it gets; it records 1 % of the traces, ' +
    'or all of them. Most of that is the SDK.',

  async run(bench) {
    const names = bench.contenders(NAMES);
    const tables = await withEntries(
      names,
      (name) => openEntry(name, ASKING),
      async (entries) => {
        const measured = [];
        for (const inFlight of [1, 10]) measured.push(await requests(bench, entries, inFlight));
        return measured;
      },
    );
    const clients = bench.scaled(MEMBERS);
    const open = (name) => openEntry(name, clients, { layout: 'everyone' });
    const fanOut = await withEntries(names, open, async (entries) => [await broadcasts(bench, entries, clients)]);
    return [...tables, ...fanOut];
  },
};

function requests(bench, entries, inFlight) {
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

function broadcasts(bench, entries, clients) {
  return measureDeliveries(bench, {
    title: `a room of ${clients}, one message per turn`,
    entries,
    turn: { to: 'rooms', targets: ['room'], messages: 1 },
    deliveries: clients,
    ratios,
  });
}
