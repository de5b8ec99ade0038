import { setTimeout } from 'node:timers/promises';
import { grouped } from '../lib/bench.js';
import { ClusterSession } from '../lib/cluster-session.js';
import { CONTENDERS } from '../lib/contenders.js';
import { openEntry, withEntries } from '../lib/session.js';
import { roomsOf } from '../servers/rooms.js';

const CLIENTS = 5_000;
/** Milliseconds between two looks whether a server has nothing left to do, and the CPU time (µs) that it may take meanwhile. */
const LOOK = 100;
const IDLE = 5_000;

/** What the clients of a cluster are. */
const CROWDS = [
  { name: 'anonymous', title: 'no users' },
  { name: 'users', title: 'each a user', users: true },
  { name: 'presence', title: 'each a user, rooms with presence', users: true, rooms: { presence: true } },
  {
    name: 'limit',
    title: 'each a user, `connectionsPerUser`',
    users: true,
    limits: { connectionsPerUser: { max: 3 } },
  },
];

const COLUMNS = [
  { title: 'ms until a client is in, p50', digits: 0, of: ({ p50 }) => p50 },
  { title: 'p99', digits: 0, of: ({ p99 }) => p99 },
  { title: 'all', digits: 0, of: ({ milliseconds }) => milliseconds },
  { title: 'event loop late, ms, p99', digits: 0, of: ({ late }) => late.p99 },
  { title: 'max', digits: 0, of: ({ late }) => late.max },
  { title: 'server CPU per client, µs', digits: 0, of: ({ cpu }) => cpu },
];
const COMMANDS = { title: 'Redis commands per client', digits: 2, of: ({ commands }) => commands };
const RATIOS = [
  { title: 'time, ours ÷ this', of: ({ milliseconds }) => milliseconds, dividend: 'pxl' },
  { title: 'CPU, ours ÷ this', of: ({ cpu }) => cpu, dividend: 'pxl' },
];

export const avalanche = {
  name: 'avalanche',
  about:
    'Clients that come back at once, as after a deploy: each opens a TCP connection, upgrades, gets its welcome and joins three of ' +
    'fifty rooms by three requests, which are answered; no client was there before. The time of a client is from the first connect until its third ' +
    'answer. Every server listens with a backlog of 4,096. The second table is ours alone: they come back to one of two workers that share a ' +
    'Redis; its commands are all that it has processed, those that scripts call included.',

  async run(bench) {
    const count = bench.scaled(CLIENTS);
    const names = bench.contenders(['ws', 'platform-ws', 'socket-io', 'pxl']);
    const alone = await withEntries(
      names,
      (name) => openEntry(name, 0, { rooms: { open: true } }),
      (entries) =>
        bench.measure({
          title: `${grouped(count)} clients`,
          entries,
          measure: ({ session }) => sample(session, session.server, { count }),
          columns: COLUMNS,
          ratios: RATIOS,
        }),
    );
    return [alone, ...(await throughRedis(bench, count))];
  },
};

async function throughRedis(bench, count) {
  const names = bench.contenders(['pxl']);
  if (names.length === 0 || bench.profile) return [];
  const kinds = CROWDS.flatMap((crowd) => names.map((name) => ({ name, crowd })));
  const open = async ({ name, crowd: { title, users, rooms, limits } }) => ({
    name: `${name} ${title}`,
    title: name === 'pxl' ? title : `${title}, former build`,
    users,
    session: await ClusterSession.open(name, 0, {
      layout: 'none',
      users,
      // Nobody is turned away.
      limits: { pendingUpgrades: false, ...limits },
      rooms: { open: true, ...rooms },
    }),
  });
  return [
    await withEntries(kinds, open, (entries) =>
      bench.measure({
        title: `${grouped(count)} clients, through Redis`,
        entries,
        measure: ({ session, users }) => clusterSample(session, { count, users }),
        columns: [COMMANDS, ...COLUMNS],
        ratios: [],
      }),
    ),
  ];
}

async function clusterSample(session, crowd) {
  const { redis, receiver } = session;
  const before = await redis.counts();
  const come = await sample(session, receiver, crowd, async () => ({
    commands: ((await redis.counts()).commands - before.commands - 1) / crowd.count,
  }));
  await settled(session.server);
  return come;
}

/** @param counted what else is measured, once the server has nothing left to do and before the clients go */
async function sample({ name, load, target }, server, { count, users = false }, counted = () => ({})) {
  const { join } = CONTENDERS[name];
  const joins = Array.from({ length: Math.min(count, 1_700) }, (_, index) =>
    roomsOf(index, { layout: 'threeOfFifty' }).map((room, id) => join(room, id)),
  );
  const { cpu: before } = await server.ask('cpu');
  await server.ask('watchDelays');
  const came = await load.ask('avalanche', { target, count, joins, users });
  const { cpu: after } = await server.ask('cpu');
  const late = await server.ask('delays');
  await settled(server);
  const more = await counted();
  await load.ask('close');
  await settled(server);
  return { ...came, late, cpu: (after - before) / count, ...more };
}

/** Resolves once the server has nothing left to do. */
async function settled(server) {
  let before = 0;
  for (;;) {
    const { cpu } = await server.ask('cpu');
    if (cpu - before < IDLE) return;
    before = cpu;
    await setTimeout(LOOK);
  }
}
