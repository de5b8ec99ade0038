import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { stampedText } from '../lib/stamps.js';
import { PaceServer } from './pace.js';
import { namesOf } from './rooms.js';

/**
 * Runs a server under the commands of the runner: one JSON object a line on stdin, one answer a line on stdout.
 *
 * @param contender `start(settings)` resolves with the port; `sendToRoom(name, text)` and `sendToClient(index, text)`
 * deliver as the contender's users would; `join(index, name)` and `leave(index, name)` where clients are put into rooms
 */
export function serve(contender) {
  const pace = new PaceServer();
  let profiler = null;
  let delays = null;

  const commands = {
    async start({ settings }) {
      return { port: await contender.start(settings), pacePort: await pace.listen() };
    },

    /** So many messages to each target in one tick, without waiting for their arrival. */
    send({ turn, messages = 1 }) {
      const texts = textsOf(turn);
      for (let message = 0; message < messages; message++) sendAll(contender, turn, texts);
    },

    /** One message to one room. */
    say({ room, text }) {
      contender.sendToRoom(room, text);
    },

    /** So many messages to each room, which nobody needs to be in. */
    async fill({ rooms, messages }) {
      const texts = textsOf({ targets: rooms });
      const atOnce = Math.max(1, Math.floor(FILL / rooms.length));
      for (let sent = 0; sent < messages; sent += atOnce) {
        const count = Math.min(atOnce, messages - sent);
        const each = rooms.flatMap((room, index) =>
          Array.from({ length: count }, () => contender.sendToRoom(room, texts[index])),
        );
        await Promise.all(each);
      }
    },

    /** Turn after turn, each when the one before has arrived, until the time is over. */
    async turns({ turn, milliseconds }) {
      const texts = textsOf(turn);
      const cpu = process.cpuUsage();
      const start = performance.now();
      let turns = 0;
      let elapsed = 0;
      do {
        const arrived = pace.arrived();
        for (let tick = 0; tick < turn.ticks; tick++) {
          if (tick > 0) await setImmediate();
          for (let message = 0; message < turn.messages; message++) sendAll(contender, turn, texts);
        }
        await arrived;
        turns++;
        elapsed = performance.now() - start;
      } while (elapsed < milliseconds || turns < 2);
      return { turns, seconds: elapsed / 1000, cpu: cpuSince(cpu) };
    },

    /**
     * Stamped messages to one room after the other, evenly spaced and each in a tick of its own, whether or not those
     * before have arrived; over when all have.
     */
    async steady({ rooms, perSecond, messages }) {
      const arrived = pace.arrived();
      const cpu = process.cpuUsage();
      const start = performance.now();
      let sent = 0;
      // No promises: with a thousand messages a second the clock is a good part of what the server does.
      const next = () => {
        contender.sendToRoom(rooms[sent % rooms.length], stampedText());
        if (++sent === messages) return;
        const wait = start + (sent / perSecond) * 1000 - performance.now();
        if (wait > 0) globalThis.setTimeout(next, wait);
        else globalThis.setImmediate(next);
      };
      next();
      await arrived;
      return { seconds: (performance.now() - start) / 1000, cpu: cpuSince(cpu) };
    },

    /**
     * Clients, which come in order of their numbers, enter so many rooms each or leave them by the server's verb: some of
     * them in one tick, the next ones when that is done.
     *
     * @param crossing `verb` ('join' or 'leave'), `clients`, `each`, `rooms`, `prefix`: see namesOf in rooms.js
     */
    async cross({ crossing }) {
      const { verb, clients } = crossing;
      const names = Array.from({ length: clients }, (_, index) => namesOf(index, crossing));
      const atOnce = Math.max(1, Math.floor(CROSSINGS / crossing.each));
      const cpu = process.cpuUsage();
      const start = performance.now();
      for (let from = 0; from < clients; from += atOnce) {
        const done = [];
        for (let index = from; index < Math.min(clients, from + atOnce); index++) {
          for (const name of names[index]) done.push(contender[verb](index, name));
        }
        await Promise.all(done);
      }
      return { count: clients * crossing.each, seconds: (performance.now() - start) / 1000, cpu: cpuSince(cpu) };
    },

    /** More clients without connections, each in its rooms. */
    async add({ clients, crossing }) {
      for (let index = 0; index < clients; index++) await contender.add(crossing);
    },

    /** CPU time of this process so far, user and system, in microseconds. */
    cpu: () => ({ cpu: cpuSince() }),

    /** Begins to watch by how much this process' event loop is late. */
    watchDelays() {
      delays = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION });
      delays.enable();
    },

    /** How late it was since then, ms. */
    delays() {
      delays.disable();
      const [p99, max] = [delays.percentile(99), delays.max].map((each) => each / 1e6 - DELAY_RESOLUTION);
      return { p99, max };
    },

    /** Resident bytes once the garbage has gone, and `held`: those of objects and buffers. */
    async memory() {
      for (let round = 0; round < 5; round++) {
        collectGarbage();
        await setTimeout(50);
      }
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rss, held: heapUsed + external };
    },

    /** One of the contender's own counters. */
    counter: ({ name }) => ({ value: contender.counter(name) }),

    /** Pages of the contender's metrics, one a turn of the event loop. */
    async pages({ count }) {
      const cpu = process.cpuUsage();
      let bytes = 0;
      for (let page = 0; page < count; page++) {
        bytes = Buffer.byteLength(await contender.page());
        await setImmediate();
      }
      return { cpu: cpuSince(cpu), bytes };
    },

    async startProfile() {
      const { Profiler } = await import('./profiler.js');
      profiler = await Profiler.start();
    },

    async stopProfile({ file }) {
      await profiler.stop(file);
    },
  };

  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const { command, ...rest } = JSON.parse(line);
    const answer = (await commands[command](rest)) ?? {};
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
  lines.on('close', () => process.exit());
}

const PAYLOAD_BYTES = 200;
/** Milliseconds between two looks at the clock; they are part of what the watch measures. */
const DELAY_RESOLUTION = 1;
/** Messages that are sent at once where nobody counts the time. */
const FILL = 1_000;
/** Joins or leaves of one tick. */
const CROSSINGS = 1_000;

/** One text per target, each of its own and all of one length. */
function textsOf({ targets }) {
  return targets.map((target) => `${target} `.padEnd(PAYLOAD_BYTES, '.'));
}

function sendAll(contender, { to, targets }, texts) {
  if (to === 'rooms') for (let i = 0; i < targets.length; i++) contender.sendToRoom(targets[i], texts[i]);
  else for (let i = 0; i < targets.length; i++) contender.sendToClient(targets[i], texts[i]);
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function collectGarbage() {
  if (globalThis.Bun) globalThis.Bun.gc(true);
  else globalThis.gc();
}
