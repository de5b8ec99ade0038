import { Inject, Injectable } from '@nestjs/common';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { ClientListener } from './client-listener.interface.js';
import { USER_INTEREST, type WsUserInterest } from './user-interest.interface.js';
import type { ClientSession } from './session/client-session.js';

/** Holds this worker's interest in a user as long as the user has a session here, however it came to its identity. */
@Injectable()
export class UserSessions implements ClientListener {
  constructor(
    @Inject(USER_INTEREST) private readonly interest: WsUserInterest,
    private readonly errors: ErrorReporter,
  ) {}

  registered({ user }: ClientSession): void {
    if (!user) return;
    const failed = (error: unknown): void => this.errors.report('A user is not heard from other workers.', error);
    this.interest.acquireUser(user.userId)?.catch(failed);
  }

  identified(client: ClientSession): void {
    this.registered(client);
  }

  unregistered({ user }: ClientSession): void {
    if (user) this.interest.releaseUser(user.userId);
  }
}
