import { Inject, Injectable } from '@nestjs/common';
import { ModuleLogger } from '../../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Backoff } from '../../redis/link/backoff.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { PXL_WS_BROADCASTER, type Broadcaster } from '../bus/broadcaster.interface.js';
import { ClusterCalls } from './cluster-calls.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';

/** Milliseconds that a worker has to answer before its silence counts; and that all have once the bus is back. */
const PATIENCE = 3_000;
/** Milliseconds after which all are asked, since one has not answered. */
const ATTENTION = 1_000;
/** How many are asked at a time while all is well: so the cost grows with the number of workers, not with its square. */
const SAMPLE = 3;
/** A lease that was renewed so often since shows that its worker lives, and could have answered. */
const RENEWALS = 2;
/** In such a part of a lease it is renewed so often for sure. */
const RENEWED_WITHIN = 1 / 5;
/** Milliseconds between two looks at what has come of the questions. */
const LOOK = 250;
/** How many workers a line of the log names. */
const NAMED = 5;

/** A worker that has been asked, and has not answered yet. */
interface Question {
  readonly askedAt: number;
  /** How often its lease had been renewed by then. */
  readonly beat: number;
}

/**
 * Proves by the bus itself that this worker and the others hear each other. A probe that comes back, and leases that are
 * renewed, do not: after a failover, or where a node has left a cluster, some workers may publish where others do not
 * listen. So each other worker is asked a question through the bus, and has to answer:
 * - before this worker takes connections, and whenever its bus was lost: all of them. One that does not answer is waited
 *   for until its lease ends; for 3 s when the bus was lost;
 * - now and then: three of them; and all as soon as one of those is silent.
 *
 * Who is silent although its lease is renewed is not heard. Where that is more than half of the others, it is this worker
 * that is cut off: it is not ready, and has its bus connected anew. A few are cut off themselves, and find that out by the
 * same rule, so that one deaf worker takes nobody else out of service. Nor do newcomers that a worker in service has never
 * heard, however many: those of a deployment with another secret, say. One that stands still renews no lease, and nobody
 * draws a conclusion from its silence. Any answer counts, also a late one, and one that refuses the question.
 */
@Injectable()
export class PeerCheck {
  readonly #logger = new ModuleLogger();
  readonly #open = new Map<string, Question>();
  readonly #pauses: Backoff;
  readonly #renewals: Backoff;
  readonly #period: number;
  /** Those that have answered this worker at any time. */
  readonly #known = new Set<string>();
  #isPassed = false;
  /** Whether it has been in service. */
  #hasPassed = false;
  #isCutOff = false;
  /** Whether all are being asked. */
  #isAsking = false;
  /** Since when all are being asked, and for how many ms at most. */
  #since = 0;
  #limit = 0;
  /** That limit while this worker is not ready. */
  #patience: number;
  /** And while it is: whoever lives has renewed its lease by then. */
  readonly #watchfulness: number;
  #mayAskAt = 0;
  #mayRenewAt = 0;
  #timer: RuntimeTimer | null = null;
  #whenPassed: (() => void) | null = null;
  #state: 'new' | 'started' | 'stopped' = 'new';

  constructor(
    private readonly calls: ClusterCalls,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: Broadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(PXL_WS_OPTIONS) { cluster }: ResolvedOptions,
    private readonly runtime: Runtime,
  ) {
    this.#period = cluster.probe;
    this.#patience = cluster.lease;
    this.#watchfulness = Math.max(PATIENCE, ATTENTION + cluster.lease * RENEWED_WITHIN);
    this.#pauses = new Backoff(runtime, 100, PATIENCE);
    this.#renewals = new Backoff(runtime, 5_000, 60_000);
    broadcaster.onChange((isReady) => this.#busChanged(isReady));
  }

  /** Whether this worker and the others hear each other, so far as is known. */
  get isPassed(): boolean {
    return this.#isPassed;
  }

  /** The workers that have been asked and have not answered yet. */
  get silent(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Begins to ask, once the others are known; resolves when all of them have answered, or are waited for no more. */
  start(): Promise<void> {
    this.#state = 'started';
    const passed = new Promise<void>((resolve) => (this.#whenPassed = resolve));
    // Where nobody is known, there is nobody to wait for.
    if (this.broadcaster.isReady || this.#living().length === 0) this.#askAll();
    return passed;
  }

  /** Asks nobody any more. */
  stop(): void {
    this.#state = 'stopped';
    this.#timer?.cancel();
    this.#open.clear();
    this.#whenPassed?.();
  }

  /** An answer of that worker to any call has come, in time or not. */
  answered(workerId: string): void {
    this.#known.add(workerId);
    if (this.#open.delete(workerId) && this.#open.size === 0 && this.#isAsking) this.#insist();
  }

  #busChanged(isReady: boolean): void {
    if (this.#state !== 'started') return;
    this.#isPassed = false;
    this.#timer?.cancel();
    this.#open.clear();
    if (isReady) this.#askAll();
  }

  /** Asks some. */
  #sample(): void {
    const all = this.#living();
    for (const workerId of this.#known) if (!this.registry.workers.has(workerId)) this.#known.delete(workerId);
    for (let count = Math.min(SAMPLE, all.length); count > 0; count--) {
      const [workerId] = all.splice(Math.floor(this.runtime.random() * all.length), 1);
      if (workerId !== undefined) this.#note(workerId);
    }
    this.#publish();
    this.#later(ATTENTION, () => {
      if (this.#open.size === 0) this.#later(this.#period, () => this.#sample());
      else this.#askAll(this.#watchfulness);
    });
  }

  #askAll(limit = this.#patience): void {
    this.#isAsking = true;
    this.#limit = limit;
    this.#since = this.runtime.monotonic();
    this.#pauses.reset();
    this.#mayAskAt = this.#since;
    for (const workerId of this.#living()) this.#note(workerId);
    this.#insist();
  }

  /** Asks those who have not answered, again and again, until a conclusion is reached. */
  #insist(): void {
    const living = new Set(this.#living());
    for (const workerId of this.#open.keys()) if (!living.has(workerId)) this.#open.delete(workerId);
    if (this.#findsCutOff(living.size)) this.#cutOff();
    else if (this.#open.size === 0 || this.runtime.monotonic() - this.#since >= this.#limit) {
      this.#pass();
      return;
    }
    // A lost bus has stopped the asking; it begins anew once it is back.
    if (!this.broadcaster.isReady) return;
    const now = this.runtime.monotonic();
    if (now >= this.#mayAskAt) {
      this.#mayAskAt = now + this.#pauses.next();
      this.#publish();
    }
    this.#later(Math.min(LOOK, this.#mayAskAt - now), () => this.#insist());
  }

  #note(workerId: string): void {
    if (this.#open.has(workerId)) return;
    const beat = this.registry.workers.get(workerId)?.beat ?? 0;
    this.#open.set(workerId, { askedAt: this.runtime.monotonic(), beat });
  }

  #publish(): void {
    // Silence is all that a failure comes to.
    if (this.#open.size > 0) this.calls.ping(this.silent).catch(() => undefined);
  }

  /** Whether most of the others live, and do not answer. */
  #findsCutOff(living: number): boolean {
    const now = this.runtime.monotonic();
    let [others, unheard] = [living, 0];
    for (const [workerId, { askedAt, beat }] of this.#open) {
      if (this.#hasPassed && !this.#known.has(workerId)) {
        others--;
        continue;
      }
      const renewals = (this.registry.workers.get(workerId)?.beat ?? 0) - beat;
      if (now - askedAt >= PATIENCE && renewals >= RENEWALS) unheard++;
    }
    return unheard * 2 > others;
  }

  #cutOff(): void {
    this.#isPassed = false;
    const names = this.silent.slice(0, NAMED).join(', ');
    const why = `${this.#open.size} of ${this.#living().length} other workers renew their leases and do not answer (${names}).`;
    if (!this.#isCutOff) this.#logger.warn(`This worker is cut off: ${why}`);
    this.#isCutOff = true;
    const now = this.runtime.monotonic();
    if (now < this.#mayRenewAt) return;
    this.#mayRenewAt = now + this.#renewals.next();
    this.broadcaster.renew?.(new Error(why));
  }

  #pass(): void {
    if (this.#isCutOff) this.#logger.log('The other workers are heard again.');
    this.#isPassed = this.#hasPassed = true;
    this.#isCutOff = false;
    this.#isAsking = false;
    if (this.#open.size === 0) this.#renewals.reset();
    this.#open.clear();
    this.#patience = PATIENCE;
    if (!this.broadcaster.isAlone) this.#later(this.#period, () => this.#sample());
    this.#whenPassed?.();
    this.#whenPassed = null;
  }

  /** Those whose lease has not ended. */
  #living(): string[] {
    return [...this.registry.workers.values()].flatMap(({ workerId, isExpired }) => (isExpired ? [] : [workerId]));
  }

  #later(ms: number, work: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.runtime.fairTimeout(ms, (wasStalled) => {
      if (wasStalled) this.#beginAnew();
      work();
    });
  }

  #beginAnew(): void {
    this.#since = this.runtime.monotonic();
    const workerIds = this.silent;
    this.#open.clear();
    for (const workerId of workerIds) this.#note(workerId);
  }
}
