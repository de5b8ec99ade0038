import { Injectable } from '@nestjs/common';
import { ClientManager, type AnyClient } from '../../clients/client-manager.js';
import { RemoteClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import type { WsClient } from '../../clients/ws-client.js';
import { ClusterCalls } from '../../cluster/calls/cluster-calls.js';
import { RegistryBridge } from '../../cluster/registry/registry-bridge.js';
import type { ClientRecord } from '../../cluster/registry/client-record.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { WsError } from '../../errors/ws.error.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';
import { RoomManager } from '../../rooms/room-manager.js';

/** Which clients are asked for; both: the user's clients in the room; none: all. */
export interface ClientQuery {
  room?: string | undefined;
  userId?: string | number | undefined;
}

/** A client as its worker describes it to another. */
export interface FetchedRecord extends ClientRecord {
  readonly workerId: string;
  readonly lastActivity: number;
}

/** Asks every worker which clients it holds, instead of trusting what this one has heard. */
@Injectable()
export class ClientQueries {
  constructor(
    private readonly clients: ClientManager,
    private readonly rooms: RoomManager,
    private readonly view: RegistryBridge,
    private readonly calls: ClusterCalls,
    private readonly claims: UnsharedClaims,
  ) {}

  async fetch(query: ClientQuery): Promise<{ clients: ClientEntry[]; partial: boolean }> {
    const { answers, partial } = await this.#ask('fetchClients', query);
    const remote = answers.flatMap((answer) => (Array.isArray(answer) ? (answer as FetchedRecord[]) : []));
    return { clients: [...this.#find(query), ...remote.map((record) => this.#entryOf(record))], partial };
  }

  async count(query: ClientQuery): Promise<{ count: number; partial: boolean }> {
    const { answers, partial } = await this.#ask('countClients', query);
    const remote = answers.reduce<number>((sum, answer) => sum + Number(answer), 0);
    return { count: this.countHere(query) + remote, partial };
  }

  /** What this worker answers to {@link fetch}. */
  fetchHere(query: ClientQuery): FetchedRecord[] {
    return this.#find(query).map((client) => {
      const { workerId, lastActivity } = client;
      return { ...this.view.recordOf(client), workerId, lastActivity };
    });
  }

  /** What this worker answers to {@link count}. */
  countHere({ room, userId }: ClientQuery): number {
    if (room === undefined && userId === undefined) return this.clients.size;
    if (userId === undefined) return this.rooms.localOf(room ?? '')?.size ?? 0;
    return this.#find({ room, userId }).length;
  }

  async #ask(name: string, data: ClientQuery): Promise<{ answers: readonly unknown[]; partial: boolean }> {
    try {
      const { answers, errors, partial } = await this.calls.ask({ kind: 'everybody' }, { name, data });
      return { answers, partial: partial || errors.length > 0 };
    } catch (error) {
      // Nobody else can be reached: what this worker holds is still true.
      if (isInstanceOf(error, WsError) && error.retryable) return { answers: [], partial: true };
      throw error;
    }
  }

  #entryOf({ workerId, lastActivity, rooms, user, ...record }: FetchedRecord): AnyClient {
    const shared = user && this.claims.watch(user);
    const client = new RemoteClient({ ...record, user: shared, workerId, metadata: { ...record.metadata } });
    client.lastActivity = lastActivity;
    for (const { roomName, username } of rooms) client.enter(roomName, username);
    return client;
  }

  #find({ room, userId }: ClientQuery): WsClient[] {
    if (userId === undefined) {
      return [...(room === undefined ? this.clients.local.values() : (this.rooms.localOf(room) ?? []))];
    }
    const sessions = [...(this.clients.localOfUser(String(userId)) ?? [])];
    return room === undefined ? sessions : sessions.filter(({ rooms }) => rooms.has(room));
  }
}
