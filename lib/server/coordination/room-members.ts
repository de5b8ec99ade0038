import { Inject, Injectable } from '@nestjs/common';
import { badMessage, checkNames, namespaceIn, readName, readNamespace, readUserId } from '../../clients/verb-checks.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../../cluster/registry/cluster-registry.interface.js';
import { WsError } from '../../errors/ws.error.js';
import { checkState } from '../../presence/member-state.js';
import {
  ROOM_PRESENCE,
  type MembersQuery,
  type PresentMember,
  type RoomPresence,
} from '../../presence/room-presence.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import { ClusterCommands } from './cluster-commands.js';

/** Whose state is set, and to what. */
export type WsPresenceChange = WsNamespaced & {
  room: string;
  /** JSON of at most 256 bytes; null: none. */
  state: unknown;
} & ({ clientId: string; userId?: undefined } | { userId: string | number; clientId?: undefined });

/** The members of a room with presence on all workers. */
export interface WsPresentMembers {
  readonly members: readonly PresentMember[];
  /** How many members the room has, also where the query has picked some. */
  readonly count: number;
  /** Whether the members of other workers may be missing: they are not known. */
  readonly partial: boolean;
}

/** The members of rooms with presence, as this worker knows them: no other is asked. */
@Injectable()
export class RoomMembers {
  readonly #names: RoomNames;

  constructor(
    private readonly commands: ClusterCommands,
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** @throws WsError BAD_MESSAGE for a wrong query; NOT_FOUND for a room without presence */
  list(roomName: string, query: MembersQuery & WsNamespaced): WsPresentMembers {
    const key = this.#keyOf(roomName, namespaceIn(query));
    const { members } = this.presence.members(key, checkedQuery(query));
    return { members, ...this.#count(key) };
  }

  /** @throws WsError as {@link list} does */
  count(roomName: string, options: WsNamespaced): { count: number; partial: boolean } {
    return this.#count(this.#keyOf(roomName, readNamespace(options)));
  }

  /** @throws WsError BAD_MESSAGE, NOT_FOUND, and nothing has changed; UNAVAILABLE when other workers cannot be reached */
  async setState(change: WsPresenceChange): Promise<void> {
    checkNames('option', change, ['clientId', 'userId', 'room', 'namespace', 'state']);
    const target = targetOf(change);
    const roomName = this.#keyOf(change.room, change.namespace);
    if (change.state === undefined) throw badMessage('state is a value with a JSON form, or null for none');
    const state = checkState(change.state) ?? null;
    if (!this.presence.rulesOf(roomName)) throw new WsError('NOT_FOUND', 'The room has no presence.');
    await this.commands.send(target, { name: 'state', roomName, state });
  }

  #count(key: string): { count: number; partial: boolean } {
    return { count: this.presence.count(key), partial: this.#isPartial };
  }

  #keyOf(room: string, namespace: unknown): string {
    return this.#names.keyOf('room', readName('room', room), namespace);
  }

  /** With a bus of the application's own nothing is known of the others. */
  get #isPartial(): boolean {
    return !this.registry.isReady || this.options.broadcaster !== undefined;
  }
}

function checkedQuery(query: MembersQuery): MembersQuery {
  checkNames('query', query, ['limit', 'after', 'namespace']);
  const { limit, after } = query;
  const isLimit = limit === undefined || (Number.isSafeInteger(limit) && limit > 0);
  if (!isLimit) throw badMessage('limit is a whole number from 1');
  if (after !== undefined && typeof after !== 'string') throw badMessage("after is a member's clientId, or its userId");
  return query;
}

function targetOf(change: object): WsTarget {
  const { clientId, userId } = change as { clientId?: unknown; userId?: unknown };
  if (clientId !== undefined && userId === undefined) {
    return { kind: 'clients', clientIds: [readName('clientId', clientId)] };
  }
  if (userId !== undefined && clientId === undefined) return { kind: 'users', userIds: [readUserId(userId)] };
  throw badMessage('Name the member: clientId or userId, one of them');
}
