import type { PxlWebSocketModuleOptions, WsRoomHistoryOptions } from 'nestjs-pxl-websocket';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { eventually } from '../../../lib/testing/eventually.js';
import { PROBE } from '../cluster-periods.js';
import { RedisServer } from '../redis-server.js';
import { startApp, type TestApp } from '../test-app.js';
import { TcpProxy } from '../tcp-proxy.js';
import { urlIdentity } from '../url-identity.js';
import { RoomWitness } from './room-witness.js';

/** Messages that a room keeps, by the end of its name. */
export const SIZES = { tiny: 5, brief: 200, usual: 200 } as const;
export type RoomKind = keyof typeof SIZES;

/** Milliseconds for which a brief room keeps its messages: the shortest that there is. */
export const BRIEF = 1_000;

export function historyOf(roomName: string): WsRoomHistoryOptions {
  const kind = roomName.slice(roomName.lastIndexOf(' ') + 1) as RoomKind;
  return { size: SIZES[kind], ttl: kind === 'brief' ? BRIEF : 60_000 };
}

/** A worker within this process, and its network to Redis. */
export interface FleetWorker {
  readonly app: TestApp;
  readonly service: WebSocketService;
  readonly proxy: TcpProxy;
}

/** Three workers in this process, a Redis with a replica, and a witness that hears both. */
export class HistoryFleet {
  readonly workers: FleetWorker[] = [];
  readonly witness = new RoomWitness();
  #closing: Promise<void>[] = [];

  private constructor(
    private master: RedisServer,
    private replica: RedisServer | null,
    private readonly options: PxlWebSocketModuleOptions,
  ) {}

  static async start(options: PxlWebSocketModuleOptions = {}): Promise<HistoryFleet> {
    const fleet = new HistoryFleet(await RedisServer.start(...SETTINGS), null, options);
    await fleet.witness.listen(fleet.master.port);
    fleet.workers.push(...(await Promise.all([1, 2, 3].map(() => fleet.#startWorker()))));
    return fleet;
  }

  get redis(): RedisServer {
    return this.master;
  }

  /** Ends a worker as a deployment does, and starts another one in its place. */
  async replace(at: number): Promise<void> {
    const { app, proxy } = this.workers[at]!;
    this.workers[at] = await this.#startWorker();
    await app.close();
    await proxy.close();
  }

  /** Ends a worker as far as that can be within a process: Redis hears no more of it. Its clients have been cut before. */
  async kill(at: number): Promise<void> {
    const { app, proxy } = this.workers[at]!;
    await proxy.close();
    // It ends in the background, without Redis.
    this.#closing.push(app.close());
    this.workers[at] = await this.#startWorker();
  }

  /** Kills Redis and starts it again. @param keeps whether it has its data after that */
  async restart(keeps: boolean): Promise<void> {
    const { master } = this;
    for (const { proxy } of this.workers) proxy.target = NOWHERE;
    await master.kill();
    if (!keeps) await master.forget();
    await master.run();
    await this.witness.listen(master.port);
    for (const { proxy } of this.workers) proxy.target = master.port;
  }

  /** The replica becomes the master. @param meanwhile what the master still takes, and the replica does not get */
  async failOver(meanwhile: () => Promise<void>): Promise<void> {
    const former = this.master;
    const next = await this.#replicaOf(former);
    await this.witness.listen(next.port);
    await next.command('REPLICAOF', 'NO', 'ONE');
    await meanwhile();
    for (const { proxy } of this.workers) proxy.target = next.port;
    await former.kill();
    await former.forget();
    await former.run();
    this.master = next;
    this.replica = former;
  }

  /** Cuts connections of the workers. */
  async cutRedis(kind: 'pubsub' | 'normal'): Promise<void> {
    const list = await this.master.command<string>('CLIENT', 'LIST', 'TYPE', kind);
    const ids = list
      .split('\n')
      .filter((line) => line !== '' && !line.includes('name=witness'))
      .map((line) => /id=(\d+)/.exec(line)![1]!);
    await Promise.all(ids.map((id) => this.master.command('CLIENT', 'KILL', 'ID', id)));
  }

  heal(): void {
    this.master.thaw();
    for (const { proxy } of this.workers) proxy.heal();
  }

  async close(): Promise<void> {
    this.heal();
    await Promise.all(this.workers.map(({ app }) => app.close()));
    await Promise.all(this.#closing);
    await Promise.all(this.workers.map(({ proxy }) => proxy.close()));
    this.witness.close();
    await Promise.all([this.master.stop(), this.replica?.stop()]);
  }

  async #startWorker(): Promise<FleetWorker> {
    const proxy = await TcpProxy.before(this.master.port);
    const app = await startApp({
      options: {
        auth: { authenticate: urlIdentity },
        redis: `redis://127.0.0.1:${proxy.port}`,
        heartbeat: false,
        ...this.options,
        rooms: { open: true, announce: false, history: historyOf, ...this.options.rooms },
        cluster: { probe: PROBE, ...this.options.cluster },
      },
    });
    return { app, service: app.app.get(WebSocketService), proxy };
  }

  /** A replica that has everything which the master has. */
  async #replicaOf(master: RedisServer): Promise<RedisServer> {
    const replica = (this.replica ??= await RedisServer.start(...SETTINGS));
    await replica.command('REPLICAOF', '127.0.0.1', String(master.port));
    const isUp = async (): Promise<boolean> =>
      (await replica.command<string>('INFO', 'replication')).includes('master_link_status:up');
    await eventually('the replica follows', isUp);
    return replica;
  }
}

/** A port on which nobody listens. */
const NOWHERE = 1;
const SETTINGS = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '5'];
