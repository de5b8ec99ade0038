import { grouped } from '../lib/bench.js';
import { cpuOf, prepareTurns } from '../lib/deliveries.js';
import { RedisServer } from '../lib/redis.js';
import { Session } from '../lib/session.js';

const CLIENTS = 1_000;
const MISSED = 100;
const HISTORY = { size: 500, ttl: 600_000 };
const TURN = { to: 'rooms', targets: ['room'], messages: 10, ticks: 1 };

const request = (action, data) => JSON.stringify({ type: 'system', action, data, id: '1' });
const LEAVE = request('leaveRoom', { roomName: 'room' });

const ENTRIES = [
  { name: 'live', title: 'a live message, ten a turn' },
  { name: 'log', title: 'a replayed message, somebody else stayed in the room' },
  { name: 'redis', title: 'a replayed message, nobody stayed in the room' },
];

export const returns = {
  name: 'return',
  about:
    `Ours alone: a worker and a Redis. All clients enter a room in one tick, each with a position ${MISSED} messages old. ` +
    '200 bytes of text. What a message costs that each of them gets then, without what the same joins cost that bring none.',

  async run(bench) {
    if (bench.profile) return [];
    const clients = bench.scaled(CLIENTS);
    const redis = await RedisServer.start();
    const settings = { open: true, redis: redis.url, history: HISTORY };
    const session = await Session.open('pxl-history', clients, settings);
    try {
      const crowd = new ReturningCrowd(session, clients);
      await crowd.begin();
      return [
        await bench.measureCold({
          title: `${grouped(clients)} clients at once`,
          entries: ENTRIES,
          measure: ({ name }) => crowd.measure(name, bench.scaled(400)),
          columns: [
            { title: 'server CPU per message and client, µs', digits: 3, of: cpuOf },
            { title: 'with the join, µs', digits: 3, of: ({ whole }) => whole },
            { title: 'reads of the history in Redis', digits: 0, of: ({ reads }) => reads },
            { title: 'ms until all have all', digits: 0, of: ({ milliseconds }) => milliseconds },
          ],
          ratios: [{ title: 'CPU, this ÷ live', of: cpuOf, divisor: 'live' }],
        }),
      ];
    } finally {
      await session.close();
      await redis.stop();
    }
  },
};

/** Clients that enter and leave one room all together. */
class ReturningCrowd {
  constructor(session, clients) {
    this.session = session;
    this.clients = clients;
  }

  /** Fills the room, and warms everything up. */
  async begin() {
    await this.session.server.ask('fill', { rooms: ['room'], messages: 10_000 });
    await this.#enter(request('joinRoom', { roomName: 'room' }), 0);
    await prepareTurns(this.session, TURN, this.clients);
    await this.session.server.ask('turns', { turn: TURN, milliseconds: 400 });
    await this.#leave(0);
    for (const name of ['log', 'redis']) await this.#returns(name === 'log' ? 1 : 0);
  }

  /** @param name `live`, `log`, `redis`: see ENTRIES */
  async measure(name, milliseconds) {
    return name === 'live' ? this.#live(milliseconds) : this.#returns(name === 'log' ? 1 : 0);
  }

  async #live(milliseconds) {
    await this.#enter(request('joinRoom', { roomName: 'room' }), 0);
    await prepareTurns(this.session, TURN, this.clients);
    const { turns, cpu, seconds } = await this.session.server.ask('turns', { turn: TURN, milliseconds });
    await this.#leave(0);
    const deliveries = turns * TURN.messages * this.clients;
    return { cpu: cpu / deliveries, whole: cpu / deliveries, reads: 0, milliseconds: (1_000 * seconds) / turns };
  }

  /** @param staying how many clients are in the room all the time */
  async #returns(staying) {
    const join = request('joinRoom', { roomName: 'room' });
    await this.#enter(join, 0);
    await this.#leave(staying);
    const bare = await this.#enter(join, 0, staying);
    await this.#leave(staying);
    await this.session.server.ask('fill', { rooms: ['room'], messages: MISSED });
    await this.session.load.ask('quiet');
    const before = await this.#reads();
    const whole = await this.#enter(request('joinRoom', { roomName: 'room', since: bare.position }), MISSED, staying);
    const reads = (await this.#reads()) - before;
    await this.#leave(0);
    const messages = MISSED * (this.clients - staying);
    return {
      cpu: (whole.cpu - bare.cpu) / messages,
      whole: whole.cpu / messages,
      reads,
      milliseconds: whole.seconds * 1_000,
    };
  }

  async #reads() {
    const { value } = await this.session.server.ask('counter', { name: 'pxl_ws_history_reads_total' });
    return value;
  }

  async #enter(text, messages, from = 0) {
    const { reply, cpu, seconds } = await this.session.timed('askAtOnce', { text, messages, from });
    const [, epoch, offset] = /"position":\{"epoch":"([^"]+)","offset":(\d+)\}/.exec(reply) ?? [];
    if (!epoch) throw new Error(`No position: ${reply}`);
    return { position: { epoch, offset: Number(offset) }, cpu, seconds };
  }

  /** All but the first ones leave. A member hears of it by a push as well. */
  async #leave(staying) {
    await this.session.load.ask('askAtOnce', { text: LEAVE, messages: 1, from: staying });
  }
}
