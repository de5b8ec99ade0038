import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { WebSocketRedisSubscriberEvent } from '../../protocol/cluster-events.js';
import { NONE, sizeOf } from '../../runtime/few.js';
import { ClusterEvents } from '../events/cluster-events.js';
import type { UserPresence } from './user-presence.interface.js';

/** {@link UserPresence} in an application of one process. */
@Injectable()
export class LocalUserPresence implements UserPresence {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly events: ClusterEvents,
  ) {}

  opened(userId: string): void {
    if (this.#sessionsOf(userId) === 1) this.#tell(WebSocketRedisSubscriberEvent.UserConnected, userId);
  }

  closed(userId: string): void {
    if (this.#sessionsOf(userId) === 0) this.#tell(WebSocketRedisSubscriberEvent.UserDisconnected, userId);
  }

  #sessionsOf(userId: string): number {
    return sizeOf(this.clients.ofUser(userId) ?? NONE);
  }

  #tell(channel: string, userId: string): void {
    this.events.tell({ channel, message: { userId }, isResponsible: true });
  }
}
