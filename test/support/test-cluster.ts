import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { LEASE, PROBE } from './cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from './redis-server.js';
import { TcpProxy } from './tcp-proxy.js';
import { WorkerProcess, type WorkerProgram } from './worker-process.js';

/** What we promise, ms: workers know each other. */
const CONVERGED = 5_000;

/** A worker with the network between it and Redis. */
export interface ClusterNode {
  readonly worker: WorkerProcess;
  readonly proxy: TcpProxy;
}

/** How a cluster, or one worker of it, differs from a usual one. */
export interface TestClusterOptions {
  /** Default: 3. None: `add` starts them, and they need not converge. */
  workers?: number;
  /** The module's options of every worker. */
  options?: PxlWebSocketModuleOptions;
  program?: WorkerProgram;
  /** Workers are connected to Redis itself. A proxy stands still whenever the test does, and Redis is away then. Default: false. */
  isDirect?: boolean;
  /** A Redis that the test has started, and ends itself. Default: one of the cluster's own. */
  redis?: RedisServer;
}

/** Several workers and a Redis, in processes of their own. The periods of the cluster are a fifth of the usual. */
export class TestCluster {
  readonly nodes: ClusterNode[] = [];

  private constructor(
    readonly redis: RedisServer,
    private readonly settings: TestClusterOptions,
  ) {}

  static async start(settings: TestClusterOptions = {}): Promise<TestCluster> {
    const redis = settings.redis ?? (await RedisServer.start());
    const cluster = new TestCluster(redis, settings);
    await Promise.all(Array.from({ length: settings.workers ?? 3 }, () => cluster.add()));
    await cluster.converged();
    return cluster;
  }

  get workers(): WorkerProcess[] {
    return this.nodes.map(({ worker }) => worker);
  }

  /** Starts another worker; resolves once it listens. */
  async add(differently: Pick<TestClusterOptions, 'options' | 'program'> = {}): Promise<WorkerProcess> {
    const proxy = await TcpProxy.before(this.redis.port);
    const { options = this.settings.options, program = this.settings.program } = differently;
    const redis = this.settings.isDirect ? this.redis.url : `redis://127.0.0.1:${proxy.port}`;
    const periods = { lease: LEASE, probe: PROBE };
    const worker = new WorkerProcess({ redis, ...options, cluster: { ...periods, ...options?.cluster } }, program);
    this.nodes.push({ worker, proxy });
    await worker.started;
    return worker;
  }

  /** Resolves once all of these workers are ready and know each other. */
  async converged(workers: readonly WorkerProcess[] = this.workers, patience = 2 * CONVERGED): Promise<void> {
    const haveConverged = async (): Promise<boolean> => {
      const asked = workers.map((worker) => worker.run(({ service }) => service.getWebSocketHealth()));
      return (await Promise.all(asked)).every(({ ready, cluster }) => ready && cluster.workers === workers.length);
    };
    await eventually('every worker knows the others', haveConverged, patience);
  }

  /** Ends everything. Rejects when a worker had left something uncaught, or had ended by itself. */
  async close(): Promise<void> {
    const ends = await Promise.allSettled(this.workers.map((worker) => worker.close()));
    await Promise.all(this.nodes.map(({ proxy }) => proxy.close()));
    if (!this.settings.redis) await this.redis.stop();
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
  }
}
