import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../clients/client-registry.js';
import { REMOTE_CONTROL, type RemoteControl } from '../clients/remote-control.interface.js';
import { closeForGood } from '../clients/session/close-for-good.js';
import { USER_INTEREST, type WsUserInterest } from '../clients/user-interest.interface.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { PXL_WS_USER_CONNECTIONS, type UserConnections } from '../limits/user-connections.interface.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import type { Identity } from './identity.js';

/** The connection that a user is about to get: until its stream is closed it counts, and hears what is sent to the user. */
interface UserConnection {
  readonly clientId: string;
  readonly stream: Duplex;
}

/** What a connection of a known user takes: a place among the user's connections, and the user's channel on the bus. */
@Injectable()
export class UserAdmission {
  constructor(
    private readonly clients: ClientRegistry,
    @Inject(REMOTE_CONTROL) private readonly remote: RemoteControl,
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_USER_CONNECTIONS) private readonly connections: UserConnections,
    @Inject(USER_INTEREST) private readonly interest: WsUserInterest,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Takes a place; false when `limits.connectionsPerUser` leaves none. Connections that it replaces are closed. */
  async enter({ clientId, stream }: UserConnection, { user }: Identity): Promise<boolean> {
    if (!user || this.options.limits.connectionsPerUser === false) return true;
    const { userId } = user;
    const { admitted, replaced } = await this.connections.enter(userId, clientId);
    if (!admitted) {
      this.counters.count('connectionsPerUser');
      return false;
    }
    onceClosed(stream, () => this.connections.leave(userId, clientId));
    for (const oldest of replaced) {
      const session = this.clients.get(oldest);
      if (session) closeForGood(session, CLOSE_CODES.REPLACED, this.runtime);
      else this.remote.disconnect(oldest, CLOSE_CODES.REPLACED.code, CLOSE_CODES.REPLACED.reason);
    }
    return true;
  }

  /** Resolves once what is sent to the user from any worker reaches this one; undefined when it does already. */
  hear({ stream }: UserConnection, { user }: Identity): Promise<void> | undefined {
    if (!user) return undefined;
    const { userId } = user;
    const live = this.interest.acquireUser(userId);
    onceClosed(stream, () => this.interest.releaseUser(userId));
    return live;
  }
}

function onceClosed(stream: Duplex, work: () => void): void {
  if (stream.destroyed) work();
  else stream.once('close', work);
}
