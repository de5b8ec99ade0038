import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { LAST_SEEN, type LastSeen } from '../../cluster/users/last-seen.interface.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { WsError } from '../../errors/ws.error.js';
import { CLUSTER_CLOCK, type ClusterClock } from '../../runtime/cluster-clock.js';
import { ClientQueries } from './client-queries.js';

/** What all workers together know of a user. `partial`: a worker did not answer in time, so that its part is missing. */
@Injectable()
export class UserQueries {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly queries: ClientQueries,
    @Inject(LAST_SEEN) private readonly seen: LastSeen | null,
    @Inject(CLUSTER_CLOCK) private readonly clock: ClusterClock,
  ) {}

  /** Whether the user has a session. What is certain is not partial. */
  async isOnline(userId: string): Promise<{ online: boolean; partial: boolean }> {
    if (this.clients.ofUser(userId)) return { online: true, partial: false };
    const { count, partial } = await this.queries.count({ userId });
    return count > 0 ? { online: true, partial: false } : { online: false, partial };
  }

  /** The rooms that the user's sessions are in, each once. */
  async roomsOf(userId: string): Promise<{ rooms: string[]; partial: boolean }> {
    const { clients, partial } = await this.queries.fetch({ userId });
    return { rooms: [...new Set(clients.flatMap(({ rooms }) => [...rooms]))].sort(), partial };
  }

  /** When the user's last session has ended: now while there is one, and null when it is not known. */
  async lastSeen(userId: string): Promise<{ at: number | null; partial: boolean }> {
    const { online, partial } = await this.isOnline(userId);
    if (online) return { at: this.clock.now(), partial };
    try {
      return { at: (await this.seen?.of(userId)) ?? null, partial };
    } catch (error) {
      if (isInstanceOf(error, WsError) && error.retryable) return { at: null, partial: true };
      throw error;
    }
  }
}
