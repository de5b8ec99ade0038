import { grouped } from '../lib/bench.js';
import { ClusterSession } from '../lib/cluster-session.js';
import { CONTENDERS } from '../lib/contenders.js';
import { cpuOf, prepareTurns } from '../lib/deliveries.js';
import { Session, withEntries } from '../lib/session.js';

const PEERS = ['socket-write', 'ws', 'platform-ws', 'socket-io', 'bun', 'pxl'];
const OWN = ['ws', 'pxl'];
const TWENTY = Array.from({ length: 20 }, (_, index) => `room-${index}`);
const SAMPLE_MILLISECONDS = 3_000;
/** The entry by which tables compare: ours with the window of the table. */
const WINDOWED = 'pxl-window';

export const steady = {
  name: 'steady',
  about:
    'Messages that come one at a time, evenly spaced, sent whether or not those before have arrived; 200 bytes of text. ' +
    'Times are from the send to the receipt, at each client. In the last two tables a message is sent when the one before ' +
    'has arrived at everybody.',

  async run(bench) {
    return [
      ...(await oneRoom(bench)),
      ...(await twentyRooms(bench)),
      await throughRedis(bench),
      await closedLoop(bench, 1_000),
      await closedLoop(bench, 10),
    ];
  },
};

function oneRoom(bench) {
  const clients = bench.scaled(1_000);
  const open = ({ name, settings }) => Session.open(name, clients, { layout: 'everyone', ...settings });
  return withEntries(itemsOf(bench.contenders(PEERS), 50), opening(open), async (entries) => [
    await measureSteady(bench, {
      title: `100 messages/s to a room of ${grouped(clients)}`,
      entries,
      stream: { rooms: ['room'], perSecond: 100, clients },
    }),
    await measureSteady(bench, {
      title: `a message every 500 ms to a room of ${grouped(clients)}`,
      entries: entries.filter(({ name }) => name === 'ws' || name.startsWith('pxl')),
      stream: { rooms: ['room'], perSecond: 2, clients },
    }),
  ]);
}

async function twentyRooms(bench) {
  const tables = [];
  for (const [clients, what] of [
    [bench.scaled(100), 'clients in all of them'],
    [1, 'client in all of them: what the clock and the send take, whoever gets it'],
  ]) {
    const open = ({ name, settings }) => Session.open(name, clients, { layout: 'everyoneInTwenty', ...settings });
    const table = (entries) =>
      measureSteady(bench, {
        title: `50 messages/s to each of 20 rooms, ${clients} ${what}`,
        entries,
        stream: { rooms: TWENTY, perSecond: 1_000, clients },
      });
    tables.push(await withEntries(itemsOf(bench.contenders(clients === 1 ? OWN : PEERS), 20), opening(open), table));
  }
  return tables;
}

function throughRedis(bench) {
  const clients = bench.scaled(100);
  const names = bench.contenders(['socket-io', 'socket-io-sharded', 'pxl']);
  const open = ({ name, settings }) => ClusterSession.open(name, clients, { layout: 'everyoneInTwenty', ...settings });
  return withEntries(itemsOf(names, 20), opening(open), (entries) =>
    measureSteady(bench, {
      title: `50 messages/s to each of 20 rooms, ${clients} clients in all of them, through Redis: one worker sends, the other has them`,
      entries,
      stream: { rooms: TWENTY, perSecond: 1_000, clients },
      publisher: true,
    }),
  );
}

/** @param stream `rooms`, which take turns; `perSecond`: messages to all of them; `clients` in each */
function measureSteady(bench, { title, entries, stream, publisher = false }) {
  const byOurs = { dividend: WINDOWED };
  return bench.measure({
    title,
    entries,
    duration: SAMPLE_MILLISECONDS,
    measure: ({ session }, milliseconds) => streamed(session, stream, milliseconds),
    columns: [
      ...(publisher ? [{ title: 'publisher CPU per message, µs', digits: 1, of: publisherOf }] : []),
      { title: `${publisher ? 'receiver' : 'server'} CPU per delivery, µs`, digits: 2, of: cpuOf },
      { title: 'of a core, %', digits: 0, of: ({ share }) => share * 100 },
      { title: 'p50, ms', digits: 1, of: ({ p50 }) => p50 },
      { title: 'p99, ms', digits: 1, of: ({ p99 }) => p99 },
      { title: 'longest, ms', digits: 1, of: ({ max }) => max },
    ],
    ratios: [
      { title: 'CPU per delivery, ours with a window ÷ this', of: cpuOf, ...byOurs },
      ...(publisher ? [{ title: 'publisher, ours with a window ÷ this', of: publisherOf, ...byOurs }] : []),
    ],
  });
}

async function streamed(session, { rooms, perSecond, clients }, milliseconds) {
  const { server, load, pacePort, receiver } = session;
  const messages = Math.max(1, Math.round((milliseconds / 1000) * perSecond));
  await load.ask('expectStamped', { pacePort, messages: messages * clients });
  const before = await receiver?.ask('cpu');
  const { seconds, cpu: sender } = await server.ask('steady', { rooms, perSecond, messages });
  const cpu = receiver ? (await receiver.ask('cpu')).cpu - before.cpu : sender;
  return {
    publisher: sender / messages,
    cpu: cpu / (messages * clients),
    share: cpu / 1_000_000 / seconds,
    ...(await load.ask('delays')),
  };
}

/** What a window does to those who wait for each message before they send the next. */
function closedLoop(bench, size) {
  const clients = Math.min(size, bench.scaled(1_000));
  const open = ({ name, settings }) => Session.open(name, clients, { layout: 'everyone', ...settings });
  const turn = { to: 'rooms', targets: ['room'], messages: 1, ticks: 1 };
  return withEntries(itemsOf(bench.contenders(OWN), 5, 20), opening(open), async (entries) => {
    for (const { session } of entries) await prepareTurns(session, turn, clients);
    return bench.measure({
      title: `one message after the other to a room of ${grouped(clients)}`,
      entries,
      async measure({ session }, milliseconds) {
        const { turns, seconds, cpu } = await session.server.ask('turns', { turn, milliseconds });
        return { rate: turns / seconds, delay: (seconds / turns) * 1000, cpu: cpu / turns / clients };
      },
      columns: [
        { title: 'messages per second', digits: 0, of: ({ rate }) => rate },
        { title: 'ms until everybody has one', digits: 2, of: ({ delay }) => delay },
        { title: 'server CPU per delivery, µs', digits: 2, of: cpuOf },
      ],
      ratios: [{ title: 'rate, this ÷ ours without a window', of: ({ rate }) => rate, divisor: 'pxl' }],
    });
  });
}

/** The contenders, and behind ours the same with windows of so many ms. */
function itemsOf(names, ...windows) {
  return names.flatMap((name) => {
    const item = { name, id: name, title: CONTENDERS[name].title };
    if (name !== 'pxl') return [item];
    const windowed = windows.map((window, index) => ({
      name,
      id: index === 0 ? WINDOWED : `${WINDOWED}-${window}`,
      title: `${item.title}, a window of ${window} ms`,
      settings: { window },
    }));
    return [item, ...windowed];
  });
}

function opening(open) {
  return async (item) => ({ name: item.id, title: item.title, session: await open(item) });
}

function publisherOf({ publisher }) {
  return publisher;
}
