import { Inject, Injectable } from '@nestjs/common';
import type { ClientListener } from './client-listener.interface.js';
import { ClientManager } from './client-manager.js';
import { USER_INTEREST, type UserInterest } from './user-interest.interface.js';
import type { WsClient } from './ws-client.js';

/** Holds this worker's interest in a user as long as the user has a session here, however it came to its identity. */
@Injectable()
export class UserSessions implements ClientListener {
  constructor(
    @Inject(USER_INTEREST) private readonly interest: UserInterest,
    clients: ClientManager,
  ) {
    clients.listen(this);
  }

  registered({ user }: WsClient): void {
    if (user) void this.interest.acquireUser(user.userId);
  }

  identified(client: WsClient): void {
    this.registered(client);
  }

  unregistered({ user }: WsClient): void {
    if (user) this.interest.releaseUser(user.userId);
  }
}
