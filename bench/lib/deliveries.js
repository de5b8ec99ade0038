import { CONTENDERS } from './contenders.js';

/**
 * Measures what a server pays to deliver turns of messages.
 *
 * @param turn `to` ('rooms' or 'clients'), `targets`, `messages` to each target in one tick, `ticks` (1 by default)
 * between two waits for arrival
 * @param deliveries how many messages arrive when each target is sent one
 */
export async function measureDeliveries(bench, { title, entries, turn: given, deliveries, ratios = [oursByEach] }) {
  const turn = { ticks: 1, ...given };
  const perTurn = deliveries * turn.messages * turn.ticks;
  for (const { session } of entries) await prepareTurns(session, turn, deliveries);
  return bench.measure({
    title,
    entries,
    async measure({ session }, milliseconds) {
      const { turns, seconds, cpu } = await session.server.ask('turns', { turn, milliseconds });
      return { cpu: cpu / turns / perTurn, rate: (turns * perTurn) / seconds };
    },
    columns: [
      { title: 'server CPU per delivery, µs', digits: 2, of: cpuOf },
      { title: 'deliveries per second', digits: 0, of: ({ rate }) => rate },
    ],
    ratios,
    notes: (rows) => [`Bytes of a delivery: ${bytesOf(rows)}.`],
  });
}

export const cpuOf = ({ cpu }) => cpu;

const oursByEach = { title: 'CPU, ours ÷ this', of: cpuOf, dividend: 'pxl' };

/** Learns from one message to each target how many bytes a turn is, and lets the load tell the server of each. */
export async function prepareTurns(session, turn, deliveries) {
  const { server, load, pacePort } = session;
  await load.ask('expect', { pacePort, bytes: null });
  await server.ask('send', { turn });
  const { bytes } = await load.ask('bytes');
  session.deliveryBytes = bytes / deliveries;
  if (!Number.isInteger(session.deliveryBytes)) {
    throw new Error(`${session.name}: ${bytes} bytes came for ${deliveries} deliveries; some did not arrive.`);
  }
  const bytesOfTick = CONTENDERS[session.name].isListed ? await bytesTogether(session, turn) : bytes * turn.messages;
  await load.ask('expect', { pacePort, bytes: bytesOfTick * turn.ticks });
}

/** The bytes of all messages of a tick, where they are fewer than those of as many messages alone. */
async function bytesTogether({ server, load }, turn) {
  await server.ask('send', { turn, messages: turn.messages });
  const { bytes } = await load.ask('bytes');
  return bytes;
}

function bytesOf(rows) {
  const isOne = new Set(rows.map(({ session }) => session.deliveryBytes)).size === 1;
  if (isOne) return rows[0].session.deliveryBytes;
  return rows.map(({ title, session }) => `${title} ${session.deliveryBytes}`).join(', ');
}
