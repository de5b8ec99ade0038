import { fileURLToPath } from 'node:url';
import { CONTENDERS } from './contenders.js';
import { LOAD_CORE, SERVER_CORE, Worker } from './worker.js';

/** The program of the load. */
export const LOAD = fileURLToPath(new URL('../load/main.js', import.meta.url));

/** A contender's server and the load for it, each in a process of its own. */
export class Session {
  /**
   * @param settings `layout` (which rooms a client is in, servers/rooms.js), `heartbeat`, `addressed` (clients are sent
   * to one by one), and what the layout needs besides
   */
  static async open(name, clients, settings) {
    const session = new Session(name);
    try {
      const given = { layout: 'none', heartbeat: false, addressed: false, ...settings };
      const { port, pacePort } = await session.server.ask('start', { settings: given });
      session.pacePort = pacePort;
      session.target.port = port;
      await session.addClients(clients);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  constructor(name) {
    this.name = name;
    const { command, path, greeting } = CONTENDERS[name];
    this.target = { path, greeting };
    this.server = new Worker(SERVER_CORE, command());
    this.load = new Worker(LOAD_CORE, [process.execPath, LOAD]);
  }

  async addClients(count) {
    await this.load.ask('open', { target: this.target, count });
  }

  /** What the load does on this command, with the CPU time that the server spent on it. */
  async timed(command, rest) {
    const { cpu: before } = await this.server.ask('cpu');
    const done = await this.load.ask(command, rest);
    const { cpu: after } = await this.server.ask('cpu');
    return { ...done, cpu: after - before };
  }

  async close() {
    await Promise.all([this.server.stop(), this.load.stop()]);
  }
}

/** A session as an entry of a table. */
export async function openEntry(name, clients, settings) {
  const session = await Session.open(name, clients, settings);
  return { name, title: CONTENDERS[name].title, session };
}

/** Opens an entry for each of the items, hands them to `work` and closes their sessions whatever comes. */
export async function withEntries(items, open, work) {
  const entries = [];
  try {
    for (const item of items) entries.push(await open(item));
    return await work(entries);
  } finally {
    await Promise.all(entries.map(({ session }) => session.close()));
  }
}
