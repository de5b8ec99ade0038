import { ClusterSession } from '../lib/cluster-session.js';
import { CONTENDERS } from '../lib/contenders.js';
import { grouped } from '../lib/bench.js';
import { prepareTurns } from '../lib/deliveries.js';
import { withEntries } from '../lib/session.js';

const ROOMS = Array.from({ length: 50 }, (_, index) => `room-${index}`);
const ROOM_SIZE = 10;

export const cluster = {
  name: 'cluster',
  about:
    'Two workers and a Redis: one worker sends to rooms whose members are all on the other. 200 bytes of text. A turn ' +
    'sends its messages in one tick; the next turn begins when everything has arrived.',

  async run(bench) {
    const names = bench.contenders(['redis-write', 'socket-io', 'socket-io-sharded', 'pxl', 'pxl-signed']);
    const people = bench.scaled(1_000);
    return [
      ...(await tables(bench, names, {
        title: `a room of ${grouped(people)}`,
        clients: people,
        layout: 'everyone',
        targets: ['room'],
      })),
      ...(await tables(bench, names, {
        title: `${ROOMS.length} rooms of ${ROOM_SIZE}`,
        clients: ROOMS.length * ROOM_SIZE,
        layout: 'fiftyOfTen',
        targets: ROOMS,
      })),
    ];
  },
};

function tables(bench, names, { title, clients, layout, targets }) {
  const open = async (name) => ({
    name,
    title: titleOf(name),
    session: await ClusterSession.open(name, clients, { layout }),
  });
  return withEntries(names, open, async (entries) => {
    const done = [];
    for (const messages of [1, 10]) {
      const turn = { to: 'rooms', targets, messages, ticks: 1 };
      for (const { session } of entries) await prepareTurns(session, turn, clients);
      done.push(
        await measure(bench, { title: `${title}, messages per turn to each: ${messages}`, entries, turn, clients }),
      );
    }
    return done;
  });
}

function titleOf(name) {
  return name === 'socket-io' ? 'Socket.IO, Redis adapter' : CONTENDERS[name].title;
}

function measure(bench, { title, entries, turn, clients }) {
  return bench.measure({
    title,
    entries,
    measure: ({ session }, milliseconds) => sample(session, turn, clients, milliseconds),
    columns: [
      { title: 'publisher CPU per broadcast, µs', digits: 1, of: ({ publisher }) => publisher },
      { title: 'receiver CPU per delivery, µs', digits: 2, of: ({ receiver }) => receiver },
      { title: 'Redis commands per broadcast', digits: 2, of: ({ commands }) => commands },
      { title: 'Redis bytes per broadcast, in + out', digits: 0, of: ({ bytes }) => bytes },
    ],
    ratios: [
      { title: 'publisher, ours ÷ this', of: ({ publisher }) => publisher, dividend: 'pxl' },
      { title: 'receiver, ours ÷ this', of: ({ receiver }) => receiver, dividend: 'pxl' },
    ],
  });
}

async function sample({ server, receiver, redis }, turn, clients, milliseconds) {
  const [before, { cpu: cpuBefore }] = [await redis.counts(), await receiver.ask('cpu')];
  const { turns, cpu } = await server.ask('turns', { turn, milliseconds });
  const [after, { cpu: cpuAfter }] = [await redis.counts(), await receiver.ask('cpu')];
  const rounds = turns * turn.messages;
  const broadcasts = rounds * turn.targets.length;
  return {
    publisher: cpu / broadcasts,
    receiver: (cpuAfter - cpuBefore) / (rounds * clients),
    commands: (after.commands - before.commands - 1) / broadcasts,
    bytes: (after.bytesIn - before.bytesIn + after.bytesOut - before.bytesOut) / broadcasts,
  };
}
