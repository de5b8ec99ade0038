import type { RedisLink } from '../../redis/link/redis-link.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../bus/json-text.js';
import type { LeasedData } from '../leases/leased-data.interface.js';
import { RedisSubjects } from '../subjects/redis.subjects.js';
import type { SubjectsHost } from '../subjects/subjects.interface.js';
import type { UserPresence } from './user-presence.interface.js';

export interface UserPresenceOptions {
  readonly prefix: string;
  readonly workerId: string;
  /** Milliseconds that other workers get to write again what Redis has lost. */
  readonly lease: number;
}

/** A user's first session in the cluster has begun, or the last one has ended. */
export interface UserNews {
  readonly event: 'userConnected' | 'userDisconnected';
  readonly userId: string;
  /** The worker of that session, or the worker that removed a dead worker's entries. */
  readonly workerId: string;
}

/** Announces a user's first session in the cluster, and the end of the last one: see {@link RedisSubjects}. */
export class RedisUserPresence implements UserPresence, SubjectsHost, MetricSource {
  /** The channel whose messages go to {@link receive}. */
  readonly channel: string;
  readonly #subjects: RedisSubjects;
  #junk = 0;

  /**
   * @param tell gets the news of all workers, including this one's. Must not throw
   * @param removes takes the users whose sessions have ended with a dead worker
   */
  constructor(
    link: RedisLink,
    private readonly tell: (news: UserNews) => void,
    private readonly options: UserPresenceOptions,
    runtime: Runtime,
    readonly removes?: (userIds: readonly string[], at: number) => Promise<void>,
  ) {
    const { prefix, workerId, lease } = options;
    this.channel = `${prefix}:users`;
    const use = 'to keep the users of the cluster';
    const settings = { prefix, workerId, lease, bucket: ['users', 'sessions'], use } as const;
    this.#subjects = new RedisSubjects(link, this, settings, runtime);
  }

  /** What the users leave in Redis. */
  get data(): LeasedData {
    return this.#subjects;
  }

  *metrics(): Iterable<WebSocketMetric> {
    // Messages on the channel that are not news of this library.
    yield counter('user_news_junk', this.#junk);
  }

  opened(userId: string): void {
    this.#subjects.open(userId);
  }

  closed(userId: string): void {
    this.#subjects.close(userId);
  }

  /** Takes a message of {@link channel}. */
  receive(payload: Buffer): void {
    const { event, userId, workerId } = readObject(payload.toString()) ?? {};
    const isKnown = event === 'userConnected' || event === 'userDisconnected';
    if (!isKnown || typeof userId !== 'string' || typeof workerId !== 'string') this.#junk++;
    else this.tell({ event, userId, workerId });
  }

  groupOf(userId: string): string {
    return userId;
  }

  news(userId: string, begins: boolean): string {
    const event = begins ? 'userConnected' : 'userDisconnected';
    return JSON.stringify({ event, userId, workerId: this.options.workerId } satisfies UserNews);
  }
}
