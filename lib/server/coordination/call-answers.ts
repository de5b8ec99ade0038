import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { AnsweredCall, ClusterAnswers, JoinRoomCall } from '../../cluster/calls/cluster-call.js';
import type { KeepUndo } from '../../cluster/calls/cluster-calls.js';
import { RevocationSync } from '../../cluster/revocations/revocation-sync.js';
import { JoinClaim } from '../../rooms/join-claims.js';
import { Memberships } from '../../rooms/memberships.js';
import { Inspector } from '../inspection/inspector.js';
import { ClientQueries } from './client-queries.js';
import { RoomMoves } from './room-moves.js';

type Answer = ClusterAnswers[AnsweredCall['name']];

/** Answers the calls of other workers for this worker's clients. */
@Injectable()
export class CallAnswers {
  constructor(
    private readonly queries: ClientQueries,
    private readonly moves: RoomMoves,
    private readonly clients: ClientRegistry,
    private readonly memberships: Memberships,
    private readonly revocations: RevocationSync,
    private readonly inspector: Inspector,
  ) {}

  /**
   * @param undoable takes how a join is undone, for the case that the caller gives up waiting for the answer
   * @throws what the caller is answered as an error
   */
  async answer(call: AnsweredCall, undoable: KeepUndo): Promise<Answer> {
    switch (call.name) {
      case 'shareRevocations':
        return this.revocations.exchange();
      case 'joinRoom':
        return this.#joinRoom(call.data, undoable);
      case 'joinRooms':
        await this.moves.joinHere(call.data.target, call.data.rooms, this.#claim(undoable));
        return undefined;
      case 'fetchClients':
        return this.queries.fetchHere(call.data);
      case 'countClients':
        return this.queries.countHere(call.data);
      case 'inspect':
        return this.inspector.answer(call.data);
    }
  }

  #joinRoom({ clientId, ...join }: JoinRoomCall, undoable: KeepUndo): Promise<boolean> | boolean {
    const client = this.clients.get(clientId);
    return client ? this.memberships.admit(client, join, this.#claim(undoable)) : false;
  }

  #claim(undoable: KeepUndo): JoinClaim {
    const claim = new JoinClaim();
    undoable(
      () => this.memberships.withdraw(claim),
      () => this.memberships.confirm(claim),
    );
    return claim;
  }
}
