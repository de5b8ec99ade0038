import { Injectable } from '@nestjs/common';
import type { AnsweredCall, ClusterAnswers } from '../../cluster/calls/cluster-call.js';
import type { KeepUndo } from '../../cluster/calls/cluster-calls.js';
import { RevocationSync } from '../../cluster/revocations/revocation-sync.js';
import { JoinClaim } from '../../rooms/join-claim.js';
import { RoomManager } from '../../rooms/room-manager.js';
import { RoomMoves } from '../delivery/room-moves.js';
import { ClientQueries } from '../facade/client-queries.js';

type Answer = ClusterAnswers[AnsweredCall['name']];

/** Answers the calls of other workers for this worker's clients. */
@Injectable()
export class CallAnswers {
  constructor(
    private readonly queries: ClientQueries,
    private readonly moves: RoomMoves,
    private readonly rooms: RoomManager,
    private readonly revocations: RevocationSync,
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
        return this.rooms.addClaimed(call.data, this.#claim(undoable));
      case 'joinRooms':
        await this.moves.joinHere(call.data.target, call.data.rooms, this.#claim(undoable));
        return undefined;
      case 'fetchClients':
        return this.queries.fetchHere(call.data);
      case 'countClients':
        return this.queries.countHere(call.data);
    }
  }

  #claim(undoable: KeepUndo): JoinClaim {
    const claim = new JoinClaim();
    undoable(
      () => this.rooms.withdraw(claim),
      () => this.rooms.confirm(claim),
    );
    return claim;
  }
}
