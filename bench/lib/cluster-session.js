import { CONTENDERS } from './contenders.js';
import { RedisServer } from './redis.js';
import { LOAD } from './session.js';
import { LOAD_CORE, SERVER_CORE, Worker } from './worker.js';

/** Two servers of a contender with a Redis between them: one publishes, all clients are on the other. */
export class ClusterSession {
  static async open(name, clients, settings) {
    const redis = await RedisServer.start();
    const session = new ClusterSession(name, redis);
    try {
      const given = { heartbeat: false, addressed: false, redis: redis.url, ...settings };
      const { pacePort } = await session.server.ask('start', { settings: { ...given, layout: 'none' } });
      const { port } = await session.receiver.ask('start', { settings: given });
      session.pacePort = pacePort;
      session.target.port = port;
      await session.load.ask('open', { target: session.target, count: clients });
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  /** @param redis what the two servers share; stopped with the session */
  constructor(name, redis) {
    this.name = name;
    this.redis = redis;
    const { command, receiver = command, path, greeting } = CONTENDERS[name];
    this.target = { path, greeting };
    this.server = new Worker(SERVER_CORE, command());
    this.receiver = new Worker(SERVER_CORE, receiver());
    this.load = new Worker(LOAD_CORE, [process.execPath, LOAD]);
  }

  async close() {
    await Promise.all([this.server.stop(), this.receiver.stop(), this.load.stop()]);
    await this.redis.stop();
  }
}
