import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ClientListener } from '../../clients/client-listener.interface.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { ClientList } from '../../rooms/client-list.js';
import type { MembershipChange, RoomListener } from '../../rooms/membership.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { Delivery } from './delivery.js';

/** The least time between two pushes of the list, in ms. */
const PAUSE = 1_000;

/**
 * With `clientList.enabled`: pushes the client list to this worker's clients after each change, at most once a second, and
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
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  registered(): void {
    this.request('clientConnected');
  }

  identified(): void {
    this.request('clientUpdated');
  }

  /** Other claims that are listed wait for the next push, since tokens are refreshed all the time. */
  renewed({ user }: ClientSession, before: WsUser): void {
    if (user?.userType !== before.userType) this.request('clientUpdated');
  }

  unregistered(): void {
    this.request('clientDisconnected');
  }

  joined({ broadcast }: MembershipChange): void {
    if (broadcast) this.request('clientJoinedRoom');
  }

  left({ broadcast }: MembershipChange): void {
    if (broadcast) this.request('clientLeftRoom');
  }

  /**
   * Requests a push. Does nothing unless `clientList.enabled` is set.
   *
   * @param event why the list is pushed; of several requests the push tells the last
   */
  request(event: string | undefined): void {
    if (!this.options.clientList.enabled) return;
    this.#event = event;
    // Always by a timer, however long ago the last push was: a new client gets its welcome first.
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
      // The application writes into metadata what has no JSON form, or more than `limits.maxPushBytes` allows.
      this.errors.report('The client list was not pushed.', error);
    }
  }
}
