import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { REMOTE_CONTROL, type RemoteControl } from '../../clients/remote-control.interface.js';
import { closeForGood } from '../../clients/session/close-for-good.js';
import type { PresenceListener } from '../../presence/room-presence.interface.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { Runtime } from '../../runtime/runtime.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';

/**
 * Closes connections whose client has come back by another one, on any worker: they look alive, but nobody is at their
 * other end.
 */
@Injectable()
export class ReplacedClients implements PresenceListener {
  constructor(
    private readonly clients: ClientRegistry,
    @Inject(REMOTE_CONTROL) private readonly remote: RemoteControl,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    private readonly runtime: Runtime,
  ) {}

  replaced(clientId: string): void {
    const session = this.clients.get(clientId);
    // The client that has come is not registered yet.
    if (session) this.runtime.afterIo(() => closeForGood(session, CLOSE_CODES.REPLACED, this.runtime));
    else this.runtime.afterIo(() => void this.#closeElsewhere(clientId));
  }

  /** Its worker has to know by whom it is replaced, or the members there would be told that it is gone. */
  async #closeElsewhere(clientId: string): Promise<void> {
    await this.registry.whenTold();
    const { code, reason } = CLOSE_CODES.REPLACED;
    this.remote.disconnect(clientId, code, reason);
  }
}
