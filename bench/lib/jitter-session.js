import { fileURLToPath } from 'node:url';
import { setTimeout } from 'node:timers/promises';
import { CONTENDERS } from './contenders.js';
import { freePort, RedisServer } from './redis.js';
import { LOAD_CORE, SERVER_CORE, Worker } from './worker.js';

const LOAD = fileURLToPath(new URL('../load/travellers.js', import.meta.url));

/** Two servers of a contender with a Redis between them, and clients on both whose networks are cut. */
export class JitterSession {
  #settings = { layout: 'everyone', heartbeat: true, addressed: false, open: true };
  #ports = [];
  #servers = [];

  static async open(name, clients, settings) {
    const session = new JitterSession(name, await RedisServer.start());
    try {
      Object.assign(session.#settings, settings, { redis: session.redis.url });
      session.#ports = [await freePort(), await freePort()];
      for (const index of [0, 1]) await session.#start(index);
      await session.load.ask('open', { library: session.library, count: clients, ports: session.#ports });
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  constructor(name, redis) {
    this.name = name;
    this.redis = redis;
    this.library = CONTENDERS[name].library;
    this.load = new Worker(LOAD_CORE, [process.execPath, LOAD]);
  }

  /**
   * Sends messages at a steady pace while all clients are cut again and again.
   *
   * @param troubles what else happens, each with its share of the time: `{ at: 0.5, make(session) }`
   */
  async run({ messages, pause, period, away, troubles }) {
    const duration = messages * pause;
    await this.load.ask('begin', { period, away, duration });
    const begin = Date.now();
    const done = troubles.map(async ({ at, make }) => {
      await setTimeout(at * duration);
      await make(this);
    });
    const sentAt = [];
    for (let number = 0; number < messages; number++) {
      await setTimeout(Math.max(0, begin + number * pause - Date.now()));
      sentAt.push(Date.now());
      await this.#servers[0].ask('say', { room: 'room', text: `${number} `.padEnd(200, '.') });
    }
    await Promise.all(done);
    return this.load.ask('results', { messages: sentAt });
  }

  /** Kills the second server, and starts another one in its place. */
  async killServer() {
    await this.#servers[1].stop();
    await this.#start(1);
  }

  /** Cuts all subscribers of Redis. */
  async cutSubscribers() {
    await this.redis.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }

  async close() {
    await Promise.all([...this.#servers, this.load].map((worker) => worker?.stop()));
    await this.redis.stop();
  }

  async #start(index) {
    const server = new Worker(SERVER_CORE, CONTENDERS[this.name].command());
    this.#servers[index] = server;
    await server.ask('start', { settings: { ...this.#settings, port: this.#ports[index] } });
  }
}
