import { setTimeout } from 'node:timers/promises';
import { grouped } from '../lib/bench.js';
import { CONTENDERS, FORMER } from '../lib/contenders.js';
import { RedisServer } from '../lib/redis.js';
import { Session, withEntries } from '../lib/session.js';
import { SERVER_CORE, Worker } from '../lib/worker.js';

const KIBIBYTE = 1_024;
const CLIENTS = 1_000;
/** Each client in 128 of 1,000 rooms. */
const MANY_EACH = { each: 128, rooms: 1_000 };
/** Each room with one member. */
const MANY_ROOMS = 100_000;
/** What the clients of another worker are in. */
const REMOTE = 50_000;
const WARM_UP = 500;
const REMOTE_ROOMS = [
  { title: 'each in 3 rooms of 100', each: 3, share: 100 },
  { title: 'each in a room of its own', each: 1, share: 1 },
];
/** Each client enters ten rooms, and leaves them. */
const WALKERS = 500;
const WALK = { each: 10, rooms: 500 };
const POLL = 50;

const request = (action) => JSON.stringify({ type: 'system', action, data: { roomName: '<room>' }, id: '<id>' });
const event = (name) => `42<id>${JSON.stringify([name, '<room>'])}`;
/** What clients ask with, and how many messages come for it. A client of ours is told that it has left, and gets its answer. */
const ASKED = {
  'socket-io': { join: event('join'), leave: event('leave'), told: { join: 1, leave: 1 } },
  pxl: { join: request('joinRoom'), leave: request('leaveRoom'), told: { join: 1, leave: 2 } },
};

export const scale = {
  name: 'scale',
  about:
    'What much of everything takes. Memory is that of objects and buffers in a fresh process, garbage collected, without the ' +
    `connections. Clients of another worker are written into Redis by a worker whose ${grouped(REMOTE)} clients have no ` +
    'connections, and read by the one that is measured. Then joins and leaves, by the server’s verb and by requests of the ' +
    'clients, each ten rooms of ten that nobody is in before.',

  async run(bench) {
    const joins = [];
    for (const way of WAYS) joins.push(...(await crossings(bench, way)));
    if (bench.profile) return joins;
    return [...(await memberships(bench)), ...(await mirrors(bench)), ...joins];
  },
};

/** Whether there is a Redis, for a title. */
const PLACES = [
  { place: 'alone', hasRedis: false },
  { place: 'with Redis', hasRedis: true },
];

const WAYS = [
  { how: 'by the server’s verb', cross: (crowd, verb, crossing) => crowd.byVerb(verb, crossing) },
  { how: 'by requests of the clients', cross: (crowd, verb, crossing) => crowd.byRequest(verb, crossing) },
];

async function memberships(bench) {
  const names = bench.contenders(['socket-io', 'pxl']);
  const clients = bench.scaled(CLIENTS);
  const rooms = bench.scaled(MANY_ROOMS);
  const tables = [];
  for (const { place, hasRedis } of PLACES) {
    tables.push(
      await bench.measureCold({
        title: `${grouped(clients)} clients in ${MANY_EACH.each} rooms each; ${grouped(rooms)} rooms of one; ${place}`,
        entries: names.map((name) => ({ name, title: CONTENDERS[name].title })),
        measure: async ({ name }) => ({
          membership: await weightOf(name, hasRedis, clients, MANY_EACH),
          room: await weightOf(name, hasRedis, clients, { each: rooms / clients, rooms }),
        }),
        columns: [
          { title: 'bytes per membership', digits: 0, of: ({ membership }) => membership },
          { title: 'bytes per room of one', digits: 0, of: ({ room }) => room },
        ],
        ratios: [
          { title: 'membership, ours ÷ this', of: ({ membership }) => membership, dividend: 'pxl' },
          { title: 'room, ours ÷ this', of: ({ room }) => room, dividend: 'pxl' },
        ],
      }),
    );
  }
  return tables;
}

/** Bytes that each join adds. */
async function weightOf(name, hasRedis, clients, layout) {
  const crowd = await Crowd.open(name, hasRedis, clients);
  try {
    await crowd.byVerb('join', { clients: Math.ceil(clients / 10), prefix: 'first', ...layout });
    const { held: before } = await crowd.server.ask('memory');
    const { count } = await crowd.byVerb('join', { clients, prefix: 'conversation', ...layout });
    const { held: after } = await crowd.server.ask('memory');
    return (after - before) / count;
  } finally {
    await crowd.close();
  }
}

async function mirrors(bench) {
  const tables = [];
  for (const { title, ...layout } of REMOTE_ROOMS) {
    const clients = bench.scaled(REMOTE);
    tables.push(
      await bench.measureCold({
        title: `${grouped(clients)} clients of another worker, ${title}`,
        entries: bench.contenders(['pxl']).map((name) => ({ name, title: CONTENDERS[name].title })),
        measure: ({ name }) => mirrorOf(name, clients, layout),
        columns: [
          { title: 'KiB per client', digits: 3, of: ({ held }) => held / KIBIBYTE },
          { title: 'CPU per client that comes, µs', digits: 1, of: ({ cpu }) => cpu },
        ],
        ratios: [
          { title: 'KiB, ours ÷ this', of: ({ held }) => held, dividend: 'pxl' },
          { title: 'CPU, ours ÷ this', of: ({ cpu }) => cpu, dividend: 'pxl' },
        ],
      }),
    );
  }
  return tables;
}

async function mirrorOf(name, clients, { each, share }) {
  const redis = await RedisServer.start();
  const writer = new Worker(SERVER_CORE, CONTENDERS[name.replace('pxl', 'pxl-remote')].command());
  const reader = new Worker(SERVER_CORE, CONTENDERS[name].command());
  try {
    const settings = { redis: redis.url, layout: 'none', heartbeat: false, addressed: false };
    await reader.ask('start', { settings });
    await writer.ask('start', { settings });
    const add = async (count, prefix) => {
      const { value: before } = await reader.ask('counter', { name: 'pxl_ws_remote_connections' });
      await writer.ask('add', { clients: count, crossing: { each, rooms: (count * each) / share, prefix } });
      while ((await reader.ask('counter', { name: 'pxl_ws_remote_connections' })).value < before + count) {
        await setTimeout(POLL);
      }
    };
    await add(WARM_UP, 'first');
    const [{ held: before }, { cpu: cpuBefore }] = [await reader.ask('memory'), await reader.ask('cpu')];
    await add(clients, 'conversation');
    const { cpu: cpuAfter } = await reader.ask('cpu');
    const { held: after } = await reader.ask('memory');
    return { held: (after - before) / clients, cpu: (cpuAfter - cpuBefore) / clients };
  } finally {
    await Promise.all([reader.stop(), writer.stop()]);
    await redis.stop();
  }
}

async function crossings(bench, { how, cross }) {
  const tables = [];
  for (const { place, hasRedis } of PLACES) {
    const clients = bench.scaled(WALKERS);
    const open = async (name) => {
      return { name, title: CONTENDERS[name].title, session: await Crowd.open(name, hasRedis, clients) };
    };
    const table = await withEntries(bench.contenders(['socket-io', 'pxl']), open, (entries) =>
      bench.measure({
        title: `joins and leaves ${how}, ${place}`,
        entries,
        measure: ({ session }, milliseconds) => walk(session, clients, cross, milliseconds),
        columns: [
          { title: 'joins per second', digits: 0, of: ({ join }) => join.rate },
          { title: 'server CPU per join, µs', digits: 2, of: ({ join }) => join.cpu },
          { title: 'leaves per second', digits: 0, of: ({ leave }) => leave.rate },
          { title: 'server CPU per leave, µs', digits: 2, of: ({ leave }) => leave.cpu },
        ],
        ratios: [
          { title: 'joins per second, ours ÷ this', of: ({ join }) => join.rate, dividend: 'pxl' },
          { title: 'leaves per second, ours ÷ this', of: ({ leave }) => leave.rate, dividend: 'pxl' },
        ],
      }),
    );
    tables.push(table);
  }
  return tables;
}

/** Enters rooms that nobody was in before, and leaves them, until the time is over. */
async function walk(crowd, clients, cross, milliseconds) {
  const [joins, leaves] = [new Crossings(), new Crossings()];
  const end = performance.now() + milliseconds;
  do {
    const crossing = { clients, prefix: `conversation-${crowd.walks++}`, ...WALK };
    joins.add(await cross(crowd, 'join', crossing));
    leaves.add(await cross(crowd, 'leave', crossing));
  } while (performance.now() < end);
  return { join: joins.each, leave: leaves.each };
}

/** What many joins, or leaves, have taken. */
class Crossings {
  #count = 0;
  #seconds = 0;
  #cpu = 0;

  add({ count, seconds, cpu }) {
    this.#count += count;
    this.#seconds += seconds;
    this.#cpu += cpu;
  }

  get each() {
    return { rate: this.#count / this.#seconds, cpu: this.#cpu / this.#count };
  }
}

/** A server, its clients, and the Redis that it may have. */
class Crowd {
  walks = 0;

  static async open(name, hasRedis, clients) {
    const redis = hasRedis ? await RedisServer.start() : null;
    try {
      const settings = { layout: 'none', addressed: true, rooms: { open: true }, redis: redis?.url };
      return new Crowd(await Session.open(name, clients, settings), redis);
    } catch (error) {
      await redis?.stop();
      throw error;
    }
  }

  constructor(session, redis) {
    this.session = session;
    this.redis = redis;
    this.server = session.server;
  }

  byVerb(verb, crossing) {
    return this.server.ask('cross', { crossing: { verb, ...crossing } });
  }

  byRequest(verb, crossing) {
    const { [verb]: text, told } = ASKED[this.session.name.replace(FORMER, '')];
    return this.session.timed('cross', { text, messages: told[verb], crossing });
  }

  async close() {
    await this.session.close();
    await this.redis?.stop();
  }
}
