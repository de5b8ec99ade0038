import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { Inspection, OwnRoom, OwnUser, PageQuery } from '../../cluster/calls/inspection.js';
import type { ClientSummary } from '../../protocol/inspection.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { sizeOf } from '../../runtime/few.js';
import { Runtime } from '../../runtime/runtime.js';
import { roomNameOf, summaryOf } from './client-reports.js';
import { pageOf, type Listed } from './name-page.js';

type ClientsQuery = Extract<Inspection, { what: 'clients' }>;

/** Pages of what this worker holds. */
@Injectable()
export class WorkerLists {
  readonly #names: RoomNames;

  constructor(
    private readonly clients: ClientRegistry,
    private readonly registry: RoomRegistry,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  async rooms(page: PageQuery): Promise<OwnRoom[]> {
    const found = await pageOf(this.#rooms(), page, this.runtime);
    return found.map(({ key, members }) => ({ ...roomNameOf(key, this.#names), members }));
  }

  async users(page: PageQuery): Promise<OwnUser[]> {
    const found = await pageOf(named(this.clients.userIds()), page, this.runtime);
    return found.flatMap((userId) => {
      const sessions = [...(this.clients.ofUser(userId) ?? [])];
      const [first] = sessions;
      return first ? [{ userId, userType: first.user?.userType, connections: sessions.length }] : [];
    });
  }

  async clientsOf({ page, room, userId }: ClientsQuery): Promise<ClientSummary[]> {
    const found = await pageOf(sought(this.#sessions(room, userId), room), page, this.runtime);
    return found.map(summaryOf);
  }

  *#rooms(): Generator<Listed<{ key: string; members: number }>> {
    for (const [key, { clients }] of this.registry.rooms) {
      const members = sizeOf(clients);
      if (members > 0) yield { name: key, item: { key, members } };
    }
  }

  #sessions(room: string | undefined, userId: string | undefined): Iterable<ClientSession> {
    if (userId !== undefined) return this.clients.ofUser(userId) ?? [];
    return room === undefined ? this.clients.values() : (this.registry.localOf(room) ?? []);
  }
}

function* named(names: Iterable<string>): Generator<Listed<string>> {
  for (const name of names) yield { name, item: name };
}

function* sought(sessions: Iterable<ClientSession>, room: string | undefined): Generator<Listed<ClientSession>> {
  for (const session of sessions) {
    if (room !== undefined && !session.rooms.has(room)) continue;
    const { clientId, user, request } = session;
    yield { name: clientId, texts: [user?.userId, request.ip], item: session };
  }
}
