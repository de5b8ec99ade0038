import { grouped } from '../lib/bench.js';
import { ClusterSession } from '../lib/cluster-session.js';
import { cpuOf } from '../lib/deliveries.js';
import { Session } from '../lib/session.js';

const CLIENTS = 1_000;
/** Milliseconds within which they come. */
const BURST = 1_000;
/** Milliseconds of silence after which nothing is told any more: longer than `interval`. */
const SILENCE = 1_500;
const KIBIBYTE = 1_024;
/** Rooms of each client where a change of state is measured, and what it says in each. */
const ROOMS = Array.from({ length: 10 }, (_, index) => `room ${index}`);
const STATE = { status: 'away', note: '.'.repeat(75) };
const CHANGES = 5;

const request = (action, data) => JSON.stringify({ type: 'system', action, data, id: '1' });

const BURSTS = [
  { name: 'none', title: 'nobody is told', rooms: {} },
  { name: 'announce', title: '`announce`', rooms: { announce: true } },
  { name: 'presence', title: '`presence`, limit 200 (the default)', rooms: { presence: true }, watches: true },
  { name: 'large', title: '`presence`, limit 2,000', rooms: { presence: { limit: 2_000 } }, watches: true },
];

const MEMBERS = [
  { name: 'without', title: 'rooms without presence', rooms: {} },
  { name: 'presence', title: 'rooms with presence', rooms: { presence: true } },
];

export const presence = {
  name: 'presence',
  about:
    'Ours alone: what it costs that members know who is there. First, what each member gets, and what the server pays, when ' +
    'all clients join one room within a second, each server fresh. Then what members take on their own worker, on another one ' +
    'and in Redis, and what a change of state costs: two workers, all members on one of them, each in ten rooms, with a state of ' +
    `${JSON.stringify(STATE).length} bytes in each.`,

  async run(bench) {
    if (bench.profile) return [];
    const clients = bench.scaled(CLIENTS);
    return [await bursts(bench, clients), await members(bench, clients)];
  },
};

function bursts(bench, clients) {
  return bench.measureCold({
    title: `${grouped(clients)} clients join within a second`,
    entries: BURSTS,
    measure: (entry) => burstOf(entry, clients),
    columns: [
      { title: 'pushes per member', digits: 1, of: ({ messages }) => messages.mean },
      { title: 'the most', digits: 0, of: ({ messages }) => messages.most },
      { title: 'KiB per member', digits: 1, of: ({ bytes }) => bytes.mean / KIBIBYTE },
      { title: 'the most', digits: 1, of: ({ bytes }) => bytes.most / KIBIBYTE },
      { title: 'server CPU, ms', digits: 0, of: ({ cpu }) => cpu / 1_000 },
      { title: 'ms in which they came', digits: 0, of: ({ took }) => took },
    ],
    ratios: [{ title: 'CPU, this ÷ `announce`', of: cpuOf, divisor: 'announce' }],
  });
}

async function burstOf({ rooms, watches }, clients) {
  const session = await Session.open('pxl', clients, { rooms: { open: true, ...rooms } });
  try {
    await session.load.ask('quiet');
    const text = request('joinRoom', { roomName: 'room', ...(watches && { presence: true }) });
    return await session.timed('burst', { text, milliseconds: BURST, silence: SILENCE });
  } finally {
    await session.close();
  }
}

function members(bench, clients) {
  return bench.measureCold({
    title: `${grouped(clients)} members of ten rooms, per membership`,
    entries: MEMBERS,
    measure: (entry) => membersOf(entry, clients),
    columns: [
      { title: 'bytes of memory on its worker', digits: 0, of: ({ own }) => own },
      { title: 'on another worker', digits: 0, of: ({ other }) => other },
      { title: 'in Redis', digits: 0, of: ({ redis }) => redis },
      { title: 'Redis bytes per join, in + out', digits: 0, of: ({ join }) => join },
      { title: 'per change of state', digits: 0, of: ({ change }) => change },
      { title: 'Redis commands per change', digits: 2, of: ({ commands }) => commands },
      { title: 'Redis CPU per change, µs', digits: 1, of: ({ redisCpu }) => redisCpu },
      { title: "its worker's CPU per change, µs", digits: 1, of: ({ workerCpu }) => workerCpu },
    ],
    ratios: [],
  });
}

async function membersOf({ name, rooms }, clients) {
  const session = await ClusterSession.open('pxl', 0, { layout: 'none', rooms: { open: true, ...rooms } });
  try {
    const crowd = new MemberCrowd(session, clients);
    await crowd.begin();
    const weight = await crowd.join(name === 'presence');
    return { ...weight, ...(name === 'presence' ? await crowd.change() : NO_CHANGE) };
  } finally {
    await session.close();
  }
}

const NO_CHANGE = { change: 0, commands: 0, redisCpu: 0, workerCpu: 0 };

/** Clients on one of two workers. */
class MemberCrowd {
  constructor(session, clients) {
    this.session = session;
    this.clients = clients;
  }

  /** What code and caches take is there after the first ones. */
  async begin() {
    const { load, target } = this.session;
    await load.ask('open', { target, count: this.clients });
    await this.#all(request('joinRoom', { roomName: 'first' }));
    await this.#all(request('leaveRoom', { roomName: 'first' }), 1);
    await load.ask('quiet');
  }

  async join(hasState) {
    const before = await this.#weigh();
    const state = hasState ? { state: STATE } : {};
    for (const roomName of ROOMS) await this.#all(request('joinRoom', { roomName, ...state }));
    await this.session.load.ask('quiet');
    const after = await this.#weigh();
    const each = (of) => (of(after) - of(before)) / (this.clients * ROOMS.length);
    return {
      own: each(({ own }) => own),
      other: each(({ other }) => other),
      redis: each(({ redis }) => redis),
      join: each(({ counts }) => counts.bytesIn + counts.bytesOut),
    };
  }

  async change() {
    const { redis, receiver, load } = this.session;
    await this.#setStates(0);
    await load.ask('quiet');
    const [before, { cpu: cpuBefore }] = [await redis.counts(), await receiver.ask('cpu')];
    for (let change = 1; change <= CHANGES; change++) await this.#setStates(change);
    const [after, { cpu: cpuAfter }] = [await redis.counts(), await receiver.ask('cpu')];
    const changes = this.clients * CHANGES;
    return {
      change: (after.bytesIn + after.bytesOut - before.bytesIn - before.bytesOut) / changes,
      commands: (after.commands - before.commands) / changes,
      redisCpu: (after.cpu - before.cpu) / changes,
      workerCpu: (cpuAfter - cpuBefore) / changes,
    };
  }

  async #setStates(change) {
    await this.#all(request('presence', { roomName: ROOMS[change % ROOMS.length], state: { ...STATE, change } }));
    // The other worker knows them all, too.
    await this.session.load.ask('quiet');
  }

  /** Every client asks, and gets so many messages beside the answer. */
  #all(text, messages = 0) {
    return this.session.load.ask('askAtOnce', { text, messages, from: 0 });
  }

  async #weigh() {
    const { server, receiver, redis } = this.session;
    const [{ held: other }, { held: own }] = [await server.ask('memory'), await receiver.ask('memory')];
    return { own, other, redis: await redis.memory(), counts: await redis.counts() };
  }
}
