import { Inject, Injectable } from '@nestjs/common';
import { ModuleLogger } from '../../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Backoff } from '../../redis/link/backoff.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from '../bus/broadcaster.interface.js';
import { ClusterCalls } from './cluster-calls.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';

/** Milliseconds without an answer after which a worker counts as unheard; also the time limit once the bus is back. */
const ANSWER_TIMEOUT = 3_000;
/** Milliseconds without an answer of a sampled worker after which all workers are asked. */
const SAMPLE_TIMEOUT = 1_000;
/** Workers per sample: the cost for the cluster grows with the number of workers, not with its square. */
const SAMPLE_SIZE = 3;
/** Renewals of its lease since the question that show that a worker is alive and could have answered. */
const RENEWALS = 2;
/** The part of a lease within which a live worker renews it that often. */
const RENEWED_WITHIN = 1 / 5;
/** Milliseconds between two looks at the open questions. */
const LOOK = 250;
/** How many workers a line of the log names. */
const NAMED = 5;

/** A question to a worker that has not answered yet. */
interface Question {
  readonly askedAt: number;
  /** The count of renewals of its lease at that time. */
  readonly beat: number;
}

/**
 * Checks over the bus that this worker and the others hear each other. A returning probe and renewed leases do not prove
 * that: after a failover, or when a node has left a Redis Cluster, some workers may publish where others do not subscribe. So
 * this worker pings the others, and expects answers:
 * - from all of them before it takes connections, and whenever the bus was lost. A silent worker is waited for until its
 *   lease expires, or for 3 s after the bus was lost;
 * - from three of them periodically, and from all as soon as one of these is silent.
 *
 * A worker that renews its lease but does not answer is unheard. When more than half of the others are unheard, this worker
 * is the one that is cut off: it is not ready, and its bus is reconnected. When fewer are unheard, they are cut off
 * themselves and find out by the same rule, so one deaf worker takes no other out of service. Workers that this one has
 * never heard while in service do not count: they may be of a deployment with another secret. A stalled worker renews no
 * lease, so its silence means nothing. Any answer counts, also a late one or an error.
 */
@Injectable()
export class PeerCheck {
  readonly #logger = new ModuleLogger();
  readonly #open = new Map<string, Question>();
  readonly #pauses: Backoff;
  readonly #renewals: Backoff;
  readonly #period: number;
  /** Workers that have ever answered. */
  readonly #known = new Set<string>();
  #isPassed = false;
  /** Whether the check has ever passed. */
  #hasPassed = false;
  #isCutOff = false;
  /** Whether all workers are being asked. */
  #isAsking = false;
  /** When that began (monotonic), and its time limit (ms). */
  #since = 0;
  #limit = 0;
  /** The time limit while this worker is not ready. */
  #startLimit: number;
  /** The time limit while it is ready: long enough that every live worker has renewed its lease. */
  readonly #watchLimit: number;
  #mayAskAt = 0;
  #mayRenewAt = 0;
  #timer: RuntimeTimer | null = null;
  #whenPassed: (() => void) | null = null;
  #state: 'new' | 'started' | 'stopped' = 'new';

  constructor(
    private readonly calls: ClusterCalls,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: WsBroadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(PXL_WS_OPTIONS) { cluster }: ResolvedOptions,
    private readonly runtime: Runtime,
  ) {
    this.#period = cluster.probe;
    this.#startLimit = cluster.lease;
    this.#watchLimit = Math.max(ANSWER_TIMEOUT, SAMPLE_TIMEOUT + cluster.lease * RENEWED_WITHIN);
    this.#pauses = new Backoff(runtime, 100, ANSWER_TIMEOUT);
    this.#renewals = new Backoff(runtime, 5_000, 60_000);
  }

  /** Whether this worker and the others hear each other, as far as is known. */
  get isPassed(): boolean {
    return this.#isPassed;
  }

  /** Ids of the workers that have not answered yet. */
  get silent(): readonly string[] {
    return [...this.#open.keys()];
  }

  /** Starts the check, once the others are known; resolves when all have answered, or the time limit is over. */
  start(): Promise<void> {
    this.#state = 'started';
    const passed = new Promise<void>((resolve) => (this.#whenPassed = resolve));
    // Passes at once when there are no others.
    if (this.broadcaster.isReady || this.#living().length === 0) this.#askAll();
    return passed;
  }

  /** The bus was lost, or is back: everybody has to answer anew. */
  busChanged(isReady: boolean): void {
    if (this.#state !== 'started') return;
    this.#isPassed = false;
    this.#timer?.cancel();
    this.#open.clear();
    if (isReady) this.#askAll();
  }

  /** Ends the check. */
  stop(): void {
    this.#state = 'stopped';
    this.#timer?.cancel();
    this.#open.clear();
    this.#whenPassed?.();
  }

  /** That worker has answered any call, in time or not. */
  answered(workerId: string): void {
    this.#known.add(workerId);
    if (this.#open.delete(workerId) && this.#open.size === 0 && this.#isAsking) this.#askAgain();
  }

  /** Asks some workers. */
  #sample(): void {
    const all = this.#living();
    for (const workerId of this.#known) if (!this.registry.workers.has(workerId)) this.#known.delete(workerId);
    for (let count = Math.min(SAMPLE_SIZE, all.length); count > 0; count--) {
      const [workerId] = all.splice(Math.floor(this.runtime.random() * all.length), 1);
      if (workerId !== undefined) this.#note(workerId);
    }
    this.#publish();
    this.#later(SAMPLE_TIMEOUT, () => {
      if (this.#open.size === 0) this.#later(this.#period, () => this.#sample());
      else this.#askAll(this.#watchLimit);
    });
  }

  #askAll(limit = this.#startLimit): void {
    this.#isAsking = true;
    this.#limit = limit;
    this.#since = this.runtime.monotonic();
    this.#pauses.reset();
    this.#mayAskAt = this.#since;
    for (const workerId of this.#living()) this.#note(workerId);
    this.#askAgain();
  }

  /** Asks the silent workers again, until the check passes. */
  #askAgain(): void {
    const living = new Set(this.#living());
    for (const workerId of this.#open.keys()) if (!living.has(workerId)) this.#open.delete(workerId);
    if (this.#findsCutOff(living.size)) this.#cutOff();
    else if (this.#open.size === 0 || this.runtime.monotonic() - this.#since >= this.#limit) {
      this.#pass();
      return;
    }
    // `cutOff` may have lost the bus; the check starts again once it is back.
    if (!this.broadcaster.isReady) return;
    const now = this.runtime.monotonic();
    if (now >= this.#mayAskAt) {
      this.#mayAskAt = now + this.#pauses.next();
      this.#publish();
    }
    this.#later(Math.min(LOOK, this.#mayAskAt - now), () => this.#askAgain());
  }

  #note(workerId: string): void {
    if (this.#open.has(workerId)) return;
    const beat = this.registry.workers.get(workerId)?.beat ?? 0;
    this.#open.set(workerId, { askedAt: this.runtime.monotonic(), beat });
  }

  #publish(): void {
    // A failure to send shows as silence.
    if (this.#open.size > 0) this.calls.ping(this.silent).catch(() => undefined);
  }

  /** Whether more than half of the others renew their leases and do not answer. */
  #findsCutOff(living: number): boolean {
    const now = this.runtime.monotonic();
    let [others, unheard] = [living, 0];
    for (const [workerId, { askedAt, beat }] of this.#open) {
      if (this.#hasPassed && !this.#known.has(workerId)) {
        others--;
        continue;
      }
      const renewals = (this.registry.workers.get(workerId)?.beat ?? 0) - beat;
      if (now - askedAt >= ANSWER_TIMEOUT && renewals >= RENEWALS) unheard++;
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
    this.#startLimit = ANSWER_TIMEOUT;
    if (!this.broadcaster.isAlone) this.#later(this.#period, () => this.#sample());
    this.#whenPassed?.();
    this.#whenPassed = null;
  }

  /** Ids of the workers whose leases have not expired. */
  #living(): string[] {
    return [...this.registry.workers.values()].flatMap(({ workerId, isExpired }) => (isExpired ? [] : [workerId]));
  }

  #later(ms: number, work: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.runtime.fairTimeout(ms, (wasStalled) => {
      if (wasStalled) this.#restartQuestions();
      work();
    });
  }

  #restartQuestions(): void {
    this.#since = this.runtime.monotonic();
    const workerIds = this.silent;
    this.#open.clear();
    for (const workerId of workerIds) this.#note(workerId);
  }
}
