import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { OutboundMessage } from '../../clients/outbound-message.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { LiveTraces } from '../../clients/traces/live-traces.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { pxlCodec } from '../../protocol/pxl.codec.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { NONE, sizeOf } from '../../runtime/few.js';

/** Finds the clients of this worker that a target means, each once. */
@Injectable()
export class Recipients {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    private readonly traces: LiveTraces,
  ) {}

  /** Whether a console follows anybody. */
  get areTraced(): boolean {
    return this.traces.isOn;
  }

  /** Tells consoles of a message for rooms. */
  trace(roomNames: readonly string[], message: OutboundMessage): void {
    const text = (): string => message.frameFor(pxlCodec).text;
    for (const roomName of roomNames) {
      this.traces.pushed(roomName, text, sizeOf(this.rooms.localOf(roomName) ?? NONE));
    }
  }

  of(target: WsTarget): Iterable<ClientSession> {
    switch (target.kind) {
      case 'everybody':
        return this.clients.values();
      case 'clients':
        return union(target.clientIds, (clientId) => one(this.clients.get(clientId)));
      case 'users':
        return union(target.userIds, (userId) => this.clients.ofUser(userId));
      case 'rooms':
        return union(target.roomNames, (roomName) => this.rooms.localOf(roomName));
      default:
        return []; // targets without clients: workers, subscribers
    }
  }
}

function one(client: ClientSession | undefined): ClientSession[] {
  return client ? [client] : [];
}

/** The clients of all groups, each once. A single group is returned as it is. */
function union(
  names: readonly string[],
  membersOf: (name: string) => Iterable<ClientSession> | undefined,
): Iterable<ClientSession> {
  const [first, ...others] = names;
  if (first === undefined) return [];
  if (others.length === 0) return membersOf(first) ?? [];
  const all = new Set<ClientSession>();
  for (const name of names) for (const client of membersOf(name) ?? []) all.add(client);
  return all;
}
