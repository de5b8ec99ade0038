import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import { PXL_WS_BROADCASTER, type Broadcaster } from '../cluster/broadcaster.interface.js';
import type { Envelope, Target } from '../cluster/envelope.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { RoomManager } from '../rooms/room-manager.js';
import { OutboundMessage } from '../transport/outbound-message.js';

const NOBODY: ReadonlySet<string> = new Set<string>();

/** Brings envelopes to clients: to those of this worker at once, to the others through the bus. */
@Injectable()
export class Delivery {
  constructor(
    private readonly clientManager: ClientManager,
    private readonly roomManager: RoomManager,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: Broadcaster,
  ) {}

  /**
   * Delivers to the whole cluster. Local clients are served before this returns, whatever the bus does.
   *
   * @throws WsError BAD_MESSAGE at the call when the message has no JSON form; rejects with UNAVAILABLE when the bus is down
   */
  send(envelope: Envelope): Promise<void> {
    this.deliver(envelope);
    return this.broadcaster.publish(envelope);
  }

  /** Delivers to the clients of this worker. */
  deliver({ target, exclude, message, isVolatile = false }: Envelope): void {
    const outbound = new OutboundMessage(message, pxlCodec);
    const excluded = exclude.length === 0 ? NOBODY : new Set(exclude);
    for (const client of this.#recipients(target)) {
      if (!excluded.has(client.clientId)) {
        client.sendFrame(outbound.frameFor(client.codec), isVolatile);
      }
    }
  }

  #recipients(target: Target): Iterable<WsClient> {
    switch (target.kind) {
      case 'everybody':
        return this.clientManager.local.values();
      case 'clients':
        return union(target.clientIds, (clientId) => one(this.clientManager.local.get(clientId)));
      case 'users':
        return union(target.userIds, (userId) => this.clientManager.localOfUser(userId));
      case 'rooms':
        return union(target.roomNames, (roomName) => this.roomManager.localOf(roomName));
    }
  }
}

function one(client: WsClient | undefined): WsClient[] {
  return client ? [client] : [];
}

/** The members of all groups, each once. A single group needs no bookkeeping. */
function union(
  names: readonly string[],
  membersOf: (name: string) => Iterable<WsClient> | undefined,
): Iterable<WsClient> {
  const [first, ...others] = names;
  if (first === undefined) return [];
  if (others.length === 0) return membersOf(first) ?? [];
  const all = new Set<WsClient>();
  for (const name of names) for (const client of membersOf(name) ?? []) all.add(client);
  return all;
}
