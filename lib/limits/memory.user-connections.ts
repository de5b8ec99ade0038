import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { UserAdmission, UserConnections } from './user-connections.interface.js';

const ADMITTED: UserAdmission = { admitted: true, replaced: [] };
const REFUSED: UserAdmission = { admitted: false, replaced: [] };

/** Counts the connections of users in an application of one process, in the order in which they were opened. */
@Injectable()
export class MemoryUserConnections implements UserConnections {
  readonly #clients = new Map<string, Set<string>>();

  constructor(@Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions) {}

  enter(userId: string, clientId: string): UserAdmission {
    const limit = this.options.limits.connectionsPerUser;
    if (limit === false) return ADMITTED;
    const clients = this.#clients.get(userId) ?? new Set<string>();
    if (clients.size >= limit.max && limit.onExceed === 'refuse') return REFUSED;
    const replaced = [...clients].slice(0, Math.max(0, clients.size + 1 - limit.max));
    for (const oldest of replaced) clients.delete(oldest);
    this.#clients.set(userId, clients.add(clientId));
    return { admitted: true, replaced };
  }

  leave(userId: string, clientId: string): void {
    const clients = this.#clients.get(userId);
    clients?.delete(clientId);
    if (clients?.size === 0) this.#clients.delete(userId);
  }
}
