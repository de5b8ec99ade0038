import type { WsQueueJobProgress } from '../protocol/cluster-events.js';
import type { RuntimeTimer } from '../runtime/runtime.js';
import type { PublishedQueue, QueueJob } from './job-end.publisher.js';
import type { QueueLead } from './queue-lead.js';
import type { QueueSurroundings } from './queue-surroundings.js';

/** How many jobs may report at once, and how many are known to have ended, so that nothing fills the memory. */
const MOST = 10_000;

/** A job that has reported a short time ago. */
interface ReportingJob {
  readonly jobId: string;
  /** What it has reported since the last time it was told. */
  newest: { readonly progress: WsQueueJobProgress } | null;
  /** Its name and data, once they were read. */
  found: QueueJob | null;
  /** Until it may be told again. */
  timer: RuntimeTimer | null;
  /** What is being told. */
  running: Promise<void> | null;
}

/**
 * Publishes the progress of jobs to the cluster, the first report of a job at once, then the newest of each interval. The worker
 * that has the lead of the queue does that, the others drop what they hear.
 */
export class JobProgressPublisher {
  readonly #jobs = new Map<string, ReportingJob>();
  /** The jobs that have ended last, and were not begun again: a worker of BullMQ that has lost a job can go on to report of it. */
  readonly #ended = new Set<string>();
  readonly #startedAt: number;

  /** @param interval ms between two messages about one job */
  constructor(
    private readonly queue: PublishedQueue,
    private readonly lead: QueueLead,
    private readonly interval: number,
    private readonly surroundings: QueueSurroundings,
  ) {
    this.#startedAt = surroundings.runtime.monotonic();
  }

  /**
   * Takes a report. Never throws.
   *
   * @param eventId the event's id in BullMQ's stream: when it happened in ms since 1970, and a number
   */
  publish(jobId: string, progress: WsQueueJobProgress, eventId: string): void {
    if (this.lead.isTaken || this.#ended.has(jobId) || this.#isOld(eventId)) return;
    const known = this.#jobs.get(jobId);
    if (known) {
      known.newest = { progress };
      return;
    }
    if (this.#jobs.size >= MOST) return;
    const job: ReportingJob = { jobId, newest: { progress }, found: null, timer: null, running: null };
    this.#jobs.set(jobId, job);
    this.#tell(job);
  }

  /** A worker of BullMQ begins with a job, which may have ended before: it was retried, or another has got its id. */
  begin(jobId: string): void {
    this.#ended.delete(jobId);
  }

  /** Resolves once the last report of a job that has ended is told: its end comes after it, and nothing after that. Does not reject. */
  async finish(jobId: string): Promise<void> {
    this.#remember(jobId);
    const job = this.#jobs.get(jobId);
    if (!job) return;
    this.#jobs.delete(jobId);
    job.timer?.cancel();
    await job.running;
    await this.#proceed(job);
  }

  stop(): void {
    for (const { timer } of this.#jobs.values()) timer?.cancel();
    this.#jobs.clear();
  }

  #remember(jobId: string): void {
    const [oldest] = this.#ended;
    if (oldest !== undefined && this.#ended.size >= MOST) this.#ended.delete(oldest);
    this.#ended.add(jobId);
  }

  #tell(job: ReportingJob): void {
    job.running = this.#proceed(job).then(() => {
      if (this.#jobs.get(job.jobId) === job) this.#pause(job);
    });
  }

  #pause(job: ReportingJob): void {
    job.timer = this.surroundings.runtime.timeout(this.interval, () => {
      if (job.newest) this.#tell(job);
      else this.#jobs.delete(job.jobId);
    });
  }

  /** A report that cannot be told now is told the next time, unless there is a newer one by then. */
  async #proceed(job: ReportingJob): Promise<void> {
    const { jobId, newest } = job;
    const { cluster } = this.surroundings;
    if (!newest) return;
    job.newest = null;
    try {
      if (!(await this.lead.take())) return;
      job.found ??= await this.queue.find(jobId);
    } catch {
      // Redis, the module's or BullMQ's, is away.
    }
    // All that has taken its time, and another worker may tell of the job's end by now.
    if (!job.found || !this.lead.isOurs) {
      job.newest ??= newest;
      return;
    }
    const message = { queue: this.queue.name, jobId, ...job.found, progress: newest.progress };
    await cluster.publish('queueJobProgress', message).catch(() => undefined);
  }

  /** A worker that starts reads the reports of the last minutes too, and those of jobs whose end was told long ago. */
  #isOld(eventId: string): boolean {
    const { redis, runtime } = this.surroundings;
    if (!redis) return false;
    return redis.link.redisNow() - Number.parseInt(eventId) > runtime.monotonic() - this.#startedAt;
  }
}
