import type { LeasedData, RenewalCause } from '../leases/leased-data.interface.js';
import type { UserConnectionsLimit } from '../../interfaces/module-options.interface.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { byUserBucket, USER_BUCKETS, userBucketOf } from '../../redis/data/user-buckets.js';
import { ConnectionBucket, type UserConnection } from './connection-bucket.js';
import type { UserAdmission, UserConnections } from '../../limits/user-connections.interface.js';

/** What Redis may refuse. */
const WHAT = 'to count connections of users';
/** Beats between two times that everything is written again, so that nothing stays wrong for good. */
const REFRESHED_EACH = 256;
/** Connections that may wait to be counted out, while Redis cannot be reached. Above that they are searched for later. */
const MAX_LEAVING = 10_000;

/** Whose connections are counted, and how many each user may have. */
export interface RedisUserConnectionsOptions {
  readonly prefix: string;
  readonly workerId: string;
  readonly limit: UserConnectionsLimit;
}

/**
 * Counts the connections of each user in the whole cluster. While Redis cannot be reached each worker counts its own, and
 * tells Redis once it is back. Those of a dead worker count until its lease has run out.
 */
export class RedisUserConnections implements UserConnections, LeasedData {
  /** This worker's, by their users, in the order in which they came. */
  readonly #clients = new Map<string, Set<string>>();
  /** Those that Redis may still count, with their users. */
  readonly #leaving = new Map<string, string>();
  /** Whether Redis may not count all of ours. */
  #isDoubtful = false;
  /** Whether Redis may count some of ours that we know nothing of. */
  #hasGhosts = false;
  #beats = 0;
  #work: Promise<void> | null = null;
  #isStopped = false;

  constructor(
    private readonly link: RedisLink,
    private readonly options: RedisUserConnectionsOptions,
  ) {}

  async enter(userId: string, clientId: string): Promise<UserAdmission> {
    const admission = await this.#ask(userId, clientId);
    if (!admission.admitted) return admission;
    if (this.#isStopped) {
      this.#countOutLater(userId, clientId);
      this.#resume();
      return admission;
    }
    for (const oldest of admission.replaced) this.#remove(userId, oldest);
    const clients = this.#clients.get(userId);
    if (clients) clients.add(clientId);
    else this.#clients.set(userId, new Set([clientId]));
    return admission;
  }

  leave(userId: string, clientId: string): void {
    if (!this.#remove(userId, clientId)) return;
    this.#countOutLater(userId, clientId);
    this.#resume();
  }

  renewed(_incarnation: number, cause: RenewalCause): void {
    this.#isDoubtful = true;
    this.#hasGhosts ||= cause === 'lost';
  }

  beat(): void {
    this.#beats = (this.#beats + 1) % REFRESHED_EACH;
    this.#isDoubtful ||= this.#beats === 0;
    this.#resume();
  }

  async remove(workerId: string): Promise<void> {
    await this.#sweep(({ clientId }) => clientId.startsWith(`${workerId}.`));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#work;
    for (const { userId, clientId } of this.#ours()) this.#leaving.set(clientId, userId);
    this.#clients.clear();
    await this.#countOut();
  }

  async #ask(userId: string, clientId: string): Promise<UserAdmission> {
    const { limit } = this.options;
    try {
      const admission = await this.#bucket(userBucketOf(userId)).enter(userId, clientId, limit);
      this.link.outcome(WHAT);
      return admission;
    } catch (error) {
      this.link.outcome(WHAT, error);
      const ours = [...(this.#clients.get(userId) ?? [])];
      const isRefused = ours.length >= limit.max && limit.onExceed !== 'replaceOldest';
      // Nobody knows whether Redis has counted it.
      if (isRefused) this.#countOutLater(userId, clientId);
      else this.#isDoubtful = true;
      return {
        admitted: !isRefused,
        replaced: isRefused ? [] : ours.slice(0, Math.max(0, ours.length + 1 - limit.max)),
      };
    }
  }

  #remove(userId: string, clientId: string): boolean {
    const clients = this.#clients.get(userId);
    if (!clients?.delete(clientId)) return false;
    if (clients.size === 0) this.#clients.delete(userId);
    return true;
  }

  #countOutLater(userId: string, clientId: string): void {
    if (this.#leaving.size >= MAX_LEAVING) {
      this.#leaving.clear();
      this.#hasGhosts = true;
    }
    this.#leaving.set(clientId, userId);
  }

  #resume(): void {
    if (!this.link.isReady) return;
    const ended = (): void => {
      this.#work = null;
    };
    // What fails is done again at the next beat.
    this.#work ??= this.#catchUp().then(ended, ended);
  }

  async #catchUp(): Promise<void> {
    await this.#countOut();
    if (this.#hasGhosts) await this.#sweepGhosts();
    if (this.#isDoubtful) await this.#restore();
  }

  async #countOut(): Promise<void> {
    while (this.#leaving.size > 0) {
      const leaving = [...this.#leaving].map(([clientId, userId]) => ({ userId, clientId }));
      for (const [bucket, connections] of byUserBucket(leaving)) {
        await this.#bucket(bucket).remove(connections);
        for (const { clientId } of connections) this.#leaving.delete(clientId);
      }
    }
  }

  /** Writes ours again: what is counted already stays as it is. */
  async #restore(): Promise<void> {
    this.#isDoubtful = false;
    try {
      for (const [bucket, connections] of byUserBucket(this.#ours())) await this.#bucket(bucket).add(connections);
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  async #sweepGhosts(): Promise<void> {
    const ours = `${this.options.workerId}.`;
    await this.#sweep(({ userId, clientId }) => clientId.startsWith(ours) && !this.#clients.get(userId)?.has(clientId));
    this.#hasGhosts = false;
  }

  async #sweep(isGone: (connection: UserConnection) => boolean): Promise<void> {
    for (let number = 0; number < USER_BUCKETS; number++) {
      const bucket = this.#bucket(number);
      for await (const connections of bucket.connections()) {
        const gone = connections.filter(isGone);
        if (gone.length > 0) await bucket.remove(gone);
      }
    }
  }

  #bucket(bucket: number): ConnectionBucket {
    return new ConnectionBucket(this.link, this.options.prefix, bucket);
  }

  #ours(): UserConnection[] {
    return [...this.#clients].flatMap(([userId, clients]) => [...clients].map((clientId) => ({ userId, clientId })));
  }
}
