import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ClientListener } from '../../clients/client-listener.interface.js';
import type { WsClient } from '../../clients/ws-client.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { ClientList } from '../../rooms/client-list.js';
import type { Membership, RoomListener } from '../../rooms/room-listener.interface.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { Delivery } from './delivery.js';

/** The least time between two pushes of the list. */
const PAUSE = 1_000;

/**
 * With `clientList.enabled`: pushes the list to this worker's clients after each change of it, at most once a second, and
 * always once more after the last change.
 */
@Injectable()
export class ClientListPushes implements ClientListener, RoomListener, OnApplicationShutdown {
  #timer: RuntimeTimer | null = null;
  #pushedAt = -Infinity;
  #event: string | undefined;

  constructor(
    private readonly list: ClientList,
    private readonly delivery: Delivery,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {}

  registered(): void {
    this.listWanted('clientConnected');
  }

  identified(): void {
    this.listWanted('clientUpdated');
  }

  /** Of claims that are listed the next push tells: tokens are refreshed all the time. */
  renewed({ user }: WsClient, before: WsUser): void {
    if (user?.userType !== before.userType) this.listWanted('clientUpdated');
  }

  unregistered(): void {
    this.listWanted('clientDisconnected');
  }

  joined({ broadcast }: Membership): void {
    if (broadcast) this.listWanted('clientJoinedRoom');
  }

  left({ broadcast }: Membership): void {
    if (broadcast) this.listWanted('clientLeftRoom');
  }

  /** The push tells the last of the events that it is for. */
  listWanted(event: string | undefined): void {
    this.#event = event;
    // Never at once, however long ago the last push was: a new client reads its welcome first.
    const wait = Math.max(0, this.#pushedAt + PAUSE - this.runtime.monotonic());
    this.#timer ??= this.runtime.timeout(wait, () => this.#push());
  }

  onApplicationShutdown(): void {
    this.#timer?.cancel();
  }

  #push(): void {
    this.#timer = null;
    this.#pushedAt = this.runtime.monotonic();
    const data = { event: this.#event, clients: this.list.read() };
    const message = { type: 'system', action: 'clientList', data };
    try {
      this.delivery.deliver({ target: { kind: 'everybody' }, exclude: [], message });
    } catch (error) {
      this.errors.report('The client list has no JSON form.', error); // metadata is the application's own
    }
  }
}
