import { CONTENDERS } from '../lib/contenders.js';
import { openEntry, withEntries } from '../lib/session.js';

const CLIENTS = 50;
/** 200 bytes of JSON. */
const DATA = { text: '.'.repeat(189) };
const WITH_ENHANCERS = ['platform-ws', 'pxl'];

export const requests = {
  name: 'requests',
  about:
    'Request → handler → reply with the 200 bytes of JSON that came: 50 clients, each with so many requests in flight. ' +
    'In Nest also with a guard and a pipe.',

  async run(bench) {
    const names = bench.contenders(['ws', 'socket-io', 'platform-ws', 'pxl']);
    const open = (name) => openEntry(name, CLIENTS);
    return withEntries(names, open, async (servers) => {
      const entries = servers.flatMap(withHandlers);
      for (const entry of entries) await check(entry);
      const tables = [];
      for (const inFlight of [1, 10]) tables.push(await measureRequests(bench, entries, inFlight));
      return tables;
    });
  },
};

function withHandlers({ name, title, session }) {
  const plain = { name, title, session, handler: 'echo' };
  if (!WITH_ENHANCERS.includes(name)) return [plain];
  return [plain, { name: `${name} guarded`, title: `${title}, guard and pipe`, session, handler: 'guarded' }];
}

/** A refusal is an answer too, and would be measured as one. */
async function check({ title, session, handler }) {
  const text = CONTENDERS[session.name].request(handler, DATA, 0);
  const { reply } = await session.load.ask('askEach', { text });
  if (!reply.includes(DATA.text)) throw new Error(`${title} answers ${reply}`);
}

function measureRequests(bench, entries, inFlight) {
  const rateOf = ({ rate }) => rate;
  return bench.measure({
    title: `requests in flight per client: ${inFlight}`,
    entries,
    async measure({ session, handler }, milliseconds) {
      const { request } = CONTENDERS[session.name];
      const texts = Array.from({ length: inFlight }, (_, id) => request(handler, DATA, id));
      const { count, seconds, cpu } = await session.timed('requests', { texts, milliseconds });
      return { rate: count / seconds, cpu: cpu / count };
    },
    columns: [
      { title: 'requests per second', digits: 0, of: rateOf },
      { title: 'server CPU per request, µs', digits: 2, of: ({ cpu }) => cpu },
    ],
    ratios: [
      { title: 'rate, ours ÷ this', of: rateOf, dividend: 'pxl' },
      { title: 'rate, ours with guard and pipe ÷ this', of: rateOf, dividend: 'pxl guarded' },
    ],
  });
}
