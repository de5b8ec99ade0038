import { grouped } from '../lib/bench.js';
import { ClusterSession } from '../lib/cluster-session.js';
import { CONTENDERS } from '../lib/contenders.js';
import { prepareTurns } from '../lib/deliveries.js';
import { RedisServer } from '../lib/redis.js';
import { Session, withEntries } from '../lib/session.js';

const CLIENTS = 1_000;
const HISTORY = { size: 500, ttl: 600_000 };
/** Rooms whose logs are weighed, and the messages of each: together well below what a worker keeps of all rooms. */
const ROOMS = Array.from({ length: 50 }, (_, index) => `room-${index}`);
const FIRST = 20;
const MESSAGES = 10;

export const history = {
  name: 'history',
  about:
    'Ours alone: what a message costs in a room with history, beside the same room without. Two workers and a Redis: one ' +
    'worker sends to a room whose members are all on the other, 200 bytes of text. With one member the processes hardly wait ' +
    'for each other. Then the memory of the logs of a worker.',

  async run(bench) {
    const members = [bench.scaled(CLIENTS), 1];
    const tables = [];
    for (const count of members) tables.push(...(await costs(bench, count)));
    return [...tables, ...(bench.profile ? [] : [await memory(bench)])];
  },
};

function costs(bench, clients) {
  const open = async (name) => {
    const settings = { layout: 'everyone', ...(name === 'pxl-history' ? { history: HISTORY } : {}) };
    const session = await ClusterSession.open(name, 0, settings);
    await session.server.ask('fill', { rooms: ['room'], messages: 10_000 });
    await session.load.ask('open', { target: session.target, count: clients });
    // Whoever is put into a room with history is told where it stands.
    await session.load.ask('quiet');
    return { name, title: CONTENDERS[name].title, session };
  };
  return withEntries(['pxl', 'pxl-history'], open, async (entries) => {
    const done = [];
    for (const messages of [1, 10]) {
      const turn = { to: 'rooms', targets: ['room'], messages, ticks: 1 };
      for (const { session } of entries) await prepareTurns(session, turn, clients);
      done.push(
        await bench.measure({
          title: `a room of ${grouped(clients)}, messages per turn: ${messages}`,
          entries,
          measure: ({ session }, milliseconds) => sample(session, turn, clients, milliseconds),
          columns: [
            { title: 'publisher CPU per message, µs', digits: 1, of: ({ publisher }) => publisher },
            { title: 'receiver CPU per delivery, µs', digits: 3, of: ({ receiver }) => receiver },
            { title: 'Redis CPU per message, µs', digits: 1, of: ({ redis }) => redis },
            { title: 'Redis bytes per message, in + out', digits: 0, of: ({ bytes }) => bytes },
          ],
          ratios: [
            { title: 'publisher ÷ without', of: ({ publisher }) => publisher, divisor: 'pxl' },
            { title: 'receiver ÷ without', of: ({ receiver }) => receiver, divisor: 'pxl' },
          ],
        }),
      );
    }
    return done;
  });
}

async function sample({ server, receiver, redis }, turn, clients, milliseconds) {
  const [before, { cpu: cpuBefore }] = [await redis.counts(), await receiver.ask('cpu')];
  const { turns, cpu } = await server.ask('turns', { turn, milliseconds });
  const [after, { cpu: cpuAfter }] = [await redis.counts(), await receiver.ask('cpu')];
  const messages = turns * turn.messages;
  return {
    publisher: cpu / messages,
    receiver: (cpuAfter - cpuBefore) / (messages * clients),
    redis: (after.cpu - before.cpu) / messages,
    bytes: (after.bytesIn - before.bytesIn + after.bytesOut - before.bytesOut) / messages,
  };
}

function memory(bench) {
  return bench.measureCold({
    title: `logs of ${ROOMS.length} rooms, ${HISTORY.size} messages in each`,
    entries: [{ name: 'pxl-history', title: CONTENDERS['pxl-history'].title }],
    measure: memoryOf,
    columns: [
      { title: 'bytes of a frame', digits: 0, of: ({ frame }) => frame },
      { title: 'bytes of memory per frame', digits: 0, of: ({ held }) => held },
      { title: 'memory ÷ frames', digits: 2, of: ({ held, frame }) => held / frame },
    ],
    ratios: [],
  });
}

/** A fresh process, one client in each room. What code and caches take is there after the first messages. */
async function memoryOf({ name }) {
  const redis = await RedisServer.start();
  const session = await Session.open(name, 0, { layout: 'fiftyOfTen', redis: redis.url, history: HISTORY });
  try {
    const { server, load } = session;
    await server.ask('fill', { rooms: ROOMS, messages: 1_000 });
    await session.addClients(ROOMS.length);
    await load.ask('quiet');
    const turnOf = (messages) => ({ to: 'rooms', targets: ROOMS, messages, ticks: 1 });
    await load.ask('expect', { pacePort: session.pacePort, bytes: null });
    await server.ask('send', { turn: turnOf(1) });
    const { bytes } = await load.ask('bytes');
    await load.ask('expect', { pacePort: session.pacePort, bytes: bytes * MESSAGES });
    // Two turns at a time, which are the fewest.
    const send = async (messages) => {
      for (let sent = 0; sent < messages; sent += 2 * MESSAGES) {
        await server.ask('turns', { turn: turnOf(MESSAGES), milliseconds: 0 });
      }
    };
    await send(FIRST);
    const { held: before } = await server.ask('memory');
    const rest = HISTORY.size - FIRST;
    await send(rest);
    const { held: after } = await server.ask('memory');
    return { frame: bytes / ROOMS.length, held: (after - before) / (rest * ROOMS.length) };
  } finally {
    await session.close();
    await redis.stop();
  }
}
