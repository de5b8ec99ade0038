import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { MirroredClient, type AnyClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import type { WsClient } from '../../clients/ws-client.js';
import type { ClientQuery, FetchedRecord } from '../../cluster/calls/cluster-call.js';
import { ClusterCalls, type CallOutcome } from '../../cluster/calls/cluster-calls.js';
import { RegistryBridge } from '../../cluster/registry/registry-bridge.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { WsError } from '../../errors/ws.error.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';
import { RoomRegistry } from '../../rooms/room-registry.js';

/** Asks every worker which clients it holds, instead of trusting what this one has heard. */
@Injectable()
export class ClientQueries {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    private readonly view: RegistryBridge,
    private readonly calls: ClusterCalls,
    private readonly claims: UnsharedClaims,
  ) {}

  async fetch(query: ClientQuery): Promise<{ clients: ClientEntry[]; partial: boolean }> {
    const call = this.calls.ask({ kind: 'everybody' }, { name: 'fetchClients', data: query });
    const { answers, partial } = await completed(call);
    const remote = answers.flat().map((record) => this.#entryOf(record));
    return { clients: [...this.#find(query), ...remote], partial };
  }

  async count(query: ClientQuery): Promise<{ count: number; partial: boolean }> {
    const call = this.calls.ask({ kind: 'everybody' }, { name: 'countClients', data: query });
    const { answers, partial } = await completed(call);
    return { count: answers.reduce((sum, count) => sum + count, this.countHere(query)), partial };
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

  #entryOf({ workerId, lastActivity, rooms, user, ...record }: FetchedRecord): AnyClient {
    const shared = user && this.claims.watch(user);
    const client = new MirroredClient({ ...record, user: shared, workerId, metadata: { ...record.metadata } });
    client.lastActivity = lastActivity;
    for (const { roomName, username } of rooms) client.enter(roomName, username);
    return client;
  }

  #find({ room, userId }: ClientQuery): WsClient[] {
    if (userId === undefined) {
      return [...(room === undefined ? this.clients.values() : (this.rooms.localOf(room) ?? []))];
    }
    const sessions = [...(this.clients.ofUser(String(userId)) ?? [])];
    return room === undefined ? sessions : sessions.filter(({ rooms }) => rooms.has(room));
  }
}

/** The answers of a call, none when the bus is down: what this worker itself holds is still true. */
async function completed<Answer>(
  call: Promise<CallOutcome<Answer>>,
): Promise<{ answers: readonly Answer[]; partial: boolean }> {
  try {
    const { answers, errors, partial } = await call;
    return { answers, partial: partial || errors.length > 0 };
  } catch (error) {
    if (isInstanceOf(error, WsError) && error.retryable) return { answers: [], partial: true };
    throw error;
  }
}
