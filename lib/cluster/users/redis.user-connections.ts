import type { WsUserConnectionsLimit } from '../../options/limits.options.js';
import type { UserAdmission, UserConnections } from '../../limits/user-connections.interface.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { LeasedData, RenewalCause } from '../leases/leased-data.interface.js';
import { BUCKETS } from '../subjects/buckets.js';
import { Reconciler } from '../subjects/reconciler.js';
import { byUser, ConnectionBuckets, type UserConnection } from './connection-buckets.js';
import { EnteringConnections } from './entering-connections.js';

/** Names this use of Redis in the log, where Redis refuses it. */
const WHAT = 'to count connections of users';
/** How many ended connections may wait to be removed from Redis. Above that, Redis is searched for them later. */
const MAX_LEAVING = 10_000;

export interface RedisUserConnectionsOptions {
  readonly prefix: string;
  readonly workerId: string;
  readonly limit: WsUserConnectionsLimit;
}

/**
 * Counts the connections of each user in the whole cluster. While Redis cannot be reached, each worker counts its own, and
 * writes them to Redis later. Connections of a dead worker count until its lease has expired.
 */
export class RedisUserConnections implements UserConnections, LeasedData {
  /** This worker's clients by user, the oldest first. */
  readonly #clients = new Map<string, Set<string>>();
  /** Clients of this worker that Redis may still count although they have gone, with their users. */
  readonly #leaving = new Map<string, string>();
  readonly #buckets: ConnectionBuckets;
  readonly #entering: EnteringConnections;
  readonly #reconciler: Reconciler;
  #isStopped = false;

  constructor(
    private readonly link: RedisLink,
    private readonly options: RedisUserConnectionsOptions,
    runtime: Runtime,
  ) {
    this.#buckets = new ConnectionBuckets(link, options.prefix);
    this.#entering = new EnteringConnections(this.#buckets, options.limit, link, runtime);
    this.#reconciler = new Reconciler(
      {
        rewrite: () => this.#rewrite(),
        removeGhosts: () => this.#removeGhosts(),
        writeChanges: () => this.#removeLeaving(),
      },
      () => link.isReady,
    );
  }

  async enter(userId: string, clientId: string): Promise<UserAdmission> {
    const admission = await this.#admit(userId, clientId);
    if (!admission.admitted) return admission;
    if (this.#isStopped) {
      this.#leaveLater(userId, clientId);
      this.#reconciler.start();
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
    this.#leaveLater(userId, clientId);
    this.#reconciler.start();
  }

  renewed(_incarnation: number, cause: RenewalCause): void {
    this.#reconciler.suspectLoss();
    if (cause === 'lost') this.#reconciler.suspectGhosts();
  }

  beat(): void {
    this.#reconciler.beat();
  }

  async remove(workerId: string): Promise<void> {
    await this.#sweep(({ clientId }) => clientId.startsWith(`${workerId}.`));
  }

  async stop(): Promise<boolean> {
    this.#isStopped = true;
    await this.#reconciler.idle();
    for (const { userId, clientId } of this.#ours()) this.#leaving.set(clientId, userId);
    this.#clients.clear();
    await this.#removeLeaving();
    return false;
  }

  async #admit(userId: string, clientId: string): Promise<UserAdmission> {
    try {
      const admission = await this.#entering.enter(userId, clientId);
      this.link.outcome(WHAT);
      return admission;
    } catch (error) {
      this.link.outcome(WHAT, error);
      return this.#admitAlone(userId, clientId);
    }
  }

  /** Decides by this worker's own connections. Redis may have counted the new one all the same. */
  #admitAlone(userId: string, clientId: string): UserAdmission {
    const { max, onExceed } = this.options.limit;
    const ours = [...(this.#clients.get(userId) ?? [])];
    if (ours.length >= max && onExceed !== 'replaceOldest') {
      this.#leaveLater(userId, clientId);
      return { admitted: false, replaced: [] };
    }
    this.#reconciler.suspectLoss();
    return { admitted: true, replaced: ours.slice(0, Math.max(0, ours.length + 1 - max)) };
  }

  #remove(userId: string, clientId: string): boolean {
    const clients = this.#clients.get(userId);
    if (!clients?.delete(clientId)) return false;
    if (clients.size === 0) this.#clients.delete(userId);
    return true;
  }

  #leaveLater(userId: string, clientId: string): void {
    if (this.#leaving.size >= MAX_LEAVING) {
      this.#leaving.clear();
      this.#reconciler.suspectGhosts();
    }
    this.#leaving.set(clientId, userId);
  }

  async #removeLeaving(): Promise<void> {
    while (this.#leaving.size > 0) {
      const leaving = [...this.#leaving].map(([clientId, userId]) => ({ userId, clientId }));
      for (const [bucket, connections] of byUser(leaving)) {
        await this.#buckets.remove(bucket, connections);
        for (const { clientId } of connections) this.#leaving.delete(clientId);
      }
    }
  }

  async #rewrite(): Promise<void> {
    await this.#buckets.add(this.#ours());
  }

  async #removeGhosts(): Promise<void> {
    const ours = `${this.options.workerId}.`;
    await this.#sweep(({ userId, clientId }) => clientId.startsWith(ours) && !this.#clients.get(userId)?.has(clientId));
  }

  /** Removes connections from all buckets. */
  async #sweep(isGone: (connection: UserConnection) => boolean): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      for await (const connections of this.#buckets.connections(bucket)) {
        const gone = connections.filter(isGone);
        if (gone.length > 0) await this.#buckets.remove(bucket, gone);
      }
    }
  }

  #ours(): UserConnection[] {
    return [...this.#clients].flatMap(([userId, clients]) => [...clients].map((clientId) => ({ userId, clientId })));
  }
}
