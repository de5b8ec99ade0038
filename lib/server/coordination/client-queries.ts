import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { ClientMirror } from '../../clients/client-mirror.js';
import { MirroredClient, type AnyClient } from '../../clients/remote-client.js';
import { UnsharedClaims } from '../../clients/unshared-claims.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { ClientQuery, FetchedRecord } from '../../cluster/calls/cluster-call.js';
import { ClusterCalls, type CallOutcome } from '../../cluster/calls/cluster-calls.js';
import { OwnClients } from '../../cluster/registry/own-clients.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { WsError } from '../../errors/ws.error.js';
import type { ClientEntry } from '../../ws-client/client-entry.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { workerOf } from '../../runtime/client-id.js';
import { NONE, sizeOf } from '../../runtime/few.js';

/** Asks every worker for its clients, so that the answer is right even when the mirror is late or off. */
@Injectable()
export class ClientQueries {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly mirror: ClientMirror,
    private readonly rooms: RoomRegistry,
    private readonly own: OwnClients,
    private readonly calls: ClusterCalls,
    private readonly claims: UnsharedClaims,
  ) {}

  /** The clients that every worker holds. `partial`: a worker did not answer in time, or the bus is down. */
  async fetch(query: ClientQuery): Promise<{ clients: ClientEntry[]; partial: boolean }> {
    const call = this.calls.ask({ kind: 'everybody' }, { name: 'fetchClients', data: query });
    const { answers, partial } = await completed(call);
    const remote = answers.flat().map((record) => this.#entryOf(record));
    const local = this.#find(query).map(({ client }) => client);
    return { clients: [...local, ...remote], partial };
  }

  /** The number of those clients. */
  async count(query: ClientQuery): Promise<{ count: number; partial: boolean }> {
    const call = this.calls.ask({ kind: 'everybody' }, { name: 'countClients', data: query });
    const { answers, partial } = await completed(call);
    return { count: answers.reduce((sum, count) => sum + count, this.countHere(query)), partial };
  }

  /** Whether a text has the form of a client's id, or is the id of a client that this worker knows. */
  isClientId(text: string): boolean {
    // The application can give an adopted socket an id of any form.
    return workerOf(text) !== undefined || this.clients.has(text) || this.mirror.has(text);
  }

  /** The part of {@link fetch} that this worker holds. */
  fetchHere(query: ClientQuery): FetchedRecord[] {
    return this.#find(query).map((client) => {
      const { workerId, lastActivity } = client;
      return { ...this.own.describe(client), workerId, lastActivity };
    });
  }

  /** The part of {@link count} that this worker holds. */
  countHere({ room, userId }: ClientQuery): number {
    if (room === undefined && userId === undefined) return this.clients.size;
    if (userId === undefined) return sizeOf(this.rooms.localOf(room ?? '') ?? NONE);
    return this.#find({ room, userId }).length;
  }

  #entryOf({ workerId, lastActivity, rooms, user, ...record }: FetchedRecord): AnyClient {
    const shared = user && this.claims.watch(user);
    const client = new MirroredClient({ ...record, user: shared, workerId });
    client.lastActivity = lastActivity;
    for (const { roomName, username } of rooms) client.enter(roomName, username);
    return client;
  }

  #find({ room, userId }: ClientQuery): ClientSession[] {
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
