import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import { badMessage, checkNames, readNames, readUserIds } from '../../clients/verb-checks.js';
import type { JoinRoomsCall } from '../../cluster/calls/cluster-call.js';
import { ClusterCalls } from '../../cluster/calls/cluster-calls.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import { WsError } from '../../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { JoinClaim } from '../../rooms/join-claims.js';
import { Memberships } from '../../rooms/memberships.js';
import { longestRoomName } from '../../rooms/room-name.js';
import { RoomNames } from '../../rooms/room-names.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import { ClusterCommands } from './cluster-commands.js';
import { Recipients } from '../delivery/recipients.js';

/** Clients, and the rooms that they are put into or taken out of. */
export type RoomMove = WsNamespaced & { rooms: readonly string[] } & (
    { clientIds: readonly string[] } | { userIds: readonly (string | number)[] }
  );

/** Puts many clients of any worker into many rooms, and takes them out again. */
@Injectable()
export class RoomMoves {
  readonly #names: RoomNames;

  constructor(
    private readonly recipients: Recipients,
    private readonly memberships: Memberships,
    private readonly commands: ClusterCommands,
    private readonly calls: ClusterCalls,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /**
   * Puts the clients into the rooms. Tries every join, and rejects with the first failure once all of them have settled.
   *
   * @throws WsError INVALID_ROOM before any join for a name that no endpoint allows; what a join throws; TIMEOUT when a
   * worker did not answer in time
   */
  async join(move: RoomMove): Promise<void> {
    const target = targetOf(move);
    if (!Array.isArray(move.rooms)) throw badMessage('rooms is a list of names');
    const rooms = this.#names.keysOf('rooms', move.rooms, move.namespace);
    for (const key of rooms) this.#names.check(key, longestRoomName(this.options));
    const elsewhere = this.calls.ask(target, { name: 'joinRooms', data: { target, rooms } });
    const [here, answers] = await Promise.allSettled([this.joinHere(target, rooms), elsewhere]);
    if (here.status === 'rejected') throw here.reason;
    if (answers.status === 'rejected') throw answers.reason;
    const [error] = answers.value.errors;
    if (error) throw error;
    if (answers.value.partial) throw new WsError('TIMEOUT', 'A worker did not say in time whether its clients joined.');
  }

  /**
   * {@link join} for the clients of this worker.
   *
   * @param claim can take the joins back
   */
  async joinHere(target: WsTarget, rooms: readonly string[], claim?: JoinClaim): Promise<void> {
    const joins = [...this.recipients.of(target)].flatMap((client: ClientSession) =>
      rooms.map((roomName) => this.memberships.join(client, roomName, { claim })),
    );
    const results = await Promise.allSettled(joins);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Takes the clients out of the rooms. */
  leave(move: RoomMove): Promise<void> {
    const target = targetOf(move);
    const rooms = this.#names.keysOf('rooms', readNames('rooms', move.rooms), move.namespace);
    return this.commands.send(target, { name: 'leave', rooms });
  }
}

function targetOf(move: RoomMove): JoinRoomsCall['target'] {
  checkNames('option', move, ['rooms', 'namespace', 'clientIds', 'userIds']);
  const { clientIds, userIds } = move as { clientIds?: unknown; userIds?: unknown };
  if (clientIds !== undefined && userIds === undefined) {
    return { kind: 'clients', clientIds: readNames('clientIds', clientIds) };
  }
  if (userIds !== undefined && clientIds === undefined) return { kind: 'users', userIds: readUserIds(userIds) };
  throw new WsError('BAD_MESSAGE', 'Name the clients: clientIds or userIds, one of them.');
}
