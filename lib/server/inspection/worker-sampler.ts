import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { OwnEndpoint, WorkerSample } from '../../cluster/calls/inspection.js';
import type { KnownWorker } from '../../protocol/inspection.js';
import { isClustered, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { ENGINE } from '../../runtime/engine.js';
import { Metrics, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { Timings } from '../../runtime/metrics/timings.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { EndpointRegistry } from '../../transport/endpoint/endpoint.registry.js';
import { Intake } from '../availability/intake.js';
import { Health } from '../monitoring/health.js';

/** Milliseconds without a question after which nobody looks any more. */
const LEASE = 3_000;
/** Milliseconds for which a sample serves everybody who asks. */
const FRESH = 500;
/** Milliseconds between two looks at how late the event loop is. */
const RESOLUTION = 20;
const NANOSECONDS = 1e6;

/** Tells how this worker is. What it measures only while somebody looks begins with the first question. */
@Injectable()
export class WorkerSampler implements OnApplicationShutdown {
  readonly #startedAt: number;
  /** Of this package. */
  readonly version = versionOfPackage();
  #lease: RuntimeTimer | null = null;
  #delay: IntervalHistogram | null = null;
  #last: WorkerSample | null = null;

  constructor(
    private readonly health: Health,
    private readonly intake: Intake,
    private readonly metrics: Metrics,
    private readonly timings: Timings,
    private readonly endpoints: EndpointRegistry,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#startedAt = Math.round(runtime.now() - process.uptime() * 1_000);
  }

  onApplicationShutdown(): void {
    if (this.#lease) this.#stop();
  }

  read(withRoutes: boolean): WorkerSample {
    this.#look();
    const now = this.runtime.monotonic();
    if (!this.#last || now - this.#last.at >= FRESH) this.#last = this.#sample(now);
    if (!withRoutes) return this.#last;
    return { ...this.#last, endpoints: this.#endpoints(), routes: [...this.timings.routes()] };
  }

  /** Somebody looks, for a while. */
  #look(): void {
    if (this.#lease) this.#lease.cancel();
    else this.#start();
    this.#lease = this.runtime.timeout(LEASE, () => this.#stop());
  }

  #start(): void {
    this.timings.hold();
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION });
    this.#delay.enable();
  }

  #stop(): void {
    this.#lease?.cancel();
    this.#lease = null;
    this.#last = null;
    this.timings.release();
    this.#delay?.disable();
    this.#delay = null;
  }

  #sample(at: number): WorkerSample {
    const counts = new Counts(this.metrics.read());
    const { user, system } = process.cpuUsage();
    return {
      worker: this.#describe(counts),
      at,
      cpuMs: (user + system) / 1_000,
      received: counts.of('messages_received_total'),
      sent: counts.of('messages_sent_total'),
      connects: counts.of('connects_total'),
      disconnects: counts.of('disconnects_total'),
      errorsByCode: counts.by('errors_total', 'code'),
      closesByCode: counts.by('closes_total', 'code'),
    };
  }

  #describe(counts: Counts): WorkerSample['worker'] {
    const { status, ready, workerId, activeConnections, rooms, slowConsumers, redis } = this.health.read();
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    return {
      workerId,
      host: hostname(),
      pid: process.pid,
      version: this.version,
      engine: `${ENGINE} ${process.versions[ENGINE] ?? ''}`,
      startedAt: this.#startedAt,
      status,
      state: this.intake.phase,
      ready,
      bus: isClustered(this.options)
        ? { ready: redis.connected, probeMs: redis.probeMs, lastError: redis.lastError }
        : null,
      memory: { rss, heapUsed, heapTotal },
      loopDelay: this.#readDelay(),
      connections: activeConnections,
      rooms,
      users: counts.of('users'),
      slowConsumers: slowConsumers.now,
    };
  }

  /** Since the last sample. */
  #readDelay(): KnownWorker['loopDelay'] {
    const delay = this.#delay;
    if (!delay || delay.count === 0) return { p50: 0, p99: 0, max: 0 };
    const late = (ns: number): number => Math.max(0, Math.round((ns / NANOSECONDS - RESOLUTION) * 10) / 10);
    const read = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
    delay.reset();
    return read;
  }

  #endpoints(): OwnEndpoint[] {
    return this.endpoints.all.map(({ path, port, options, webSocketServer, router }) => ({
      path,
      port,
      protocol: options.protocol,
      connections: webSocketServer.clients.size,
      routes: [...router.list()],
    }));
  }
}

/** The numbers of a worker, by name. */
class Counts {
  constructor(private readonly metrics: readonly WebSocketMetric[]) {}

  of(name: string): number {
    return this.metrics.find((metric) => metric.name === `pxl_ws_${name}`)?.value ?? 0;
  }

  by(name: string, label: string): Record<string, number> {
    const found = this.metrics.filter((metric) => metric.name === `pxl_ws_${name}`);
    return Object.fromEntries(found.map(({ labels, value }) => [labels?.[label] ?? '', value]));
  }
}

/** A bundle of the application has no package.json beside it. */
function versionOfPackage(): string {
  try {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}
