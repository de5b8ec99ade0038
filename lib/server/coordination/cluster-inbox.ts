import { Injectable } from '@nestjs/common';
import {
  ClusterCalls,
  PING,
  SHARE_REVOCATIONS,
  type ClusterCall,
  type WhenGivenUp,
} from '../../cluster/calls/cluster-calls.js';
import { ClusterEvents } from '../../cluster/events/cluster-events.js';
import type { WsReceivedEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import { RevocationSync } from '../../cluster/revocations/revocation-sync.js';
import { WsError } from '../../errors/ws.error.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { JoinClaim } from '../../rooms/join-claim.js';
import { RoomManager, type AddClientToRoomOptions } from '../../rooms/room-manager.js';
import { ClientQueries, type ClientQuery } from '../facade/client-queries.js';
import { ClusterCommands } from './cluster-commands.js';
import { Delivery } from '../delivery/delivery.js';
import { RoomMoves } from '../delivery/room-moves.js';

/** What other workers send to this one, each kind of content to who knows what to do with it. */
@Injectable()
export class ClusterInbox {
  constructor(
    private readonly delivery: Delivery,
    private readonly commands: ClusterCommands,
    private readonly events: ClusterEvents,
    private readonly calls: ClusterCalls,
    private readonly queries: ClientQueries,
    private readonly moves: RoomMoves,
    private readonly rooms: RoomManager,
    private readonly revocations: RevocationSync,
    private readonly errors: ErrorReporter,
  ) {
    calls.answerWith((call, whenGivenUp) => this.#answer(call, whenGivenUp));
  }

  /** Nothing comes any more. */
  end(): void {
    this.calls.end();
  }

  /** Never throws: another version of this library, or a stranger, may have written it. */
  receive(envelope: WsReceivedEnvelope): void {
    try {
      this.#dispatch(envelope);
    } catch (error) {
      this.errors.report('What another worker has sent could not be handled.', error);
    }
  }

  #dispatch(envelope: WsReceivedEnvelope): void {
    switch (envelope.content.kind) {
      case 'message':
        this.delivery.receive(envelope);
        break;
      case 'command':
        this.commands.receive(envelope);
        break;
      case 'event':
        this.events.receive(envelope);
        break;
      case 'call':
      case 'answer':
        this.calls.receive(envelope);
        break;
    }
  }

  #answer({ name, data }: ClusterCall, whenGivenUp: WhenGivenUp): unknown {
    switch (name) {
      case PING:
        return null;
      case SHARE_REVOCATIONS:
        return this.revocations.exchange();
      case 'joinRoom':
        return this.rooms.addClaimed(data as AddClientToRoomOptions, this.#claim(whenGivenUp));
      case 'joinRooms': {
        const { target, rooms } = data as { target: WsTarget; rooms: string[] };
        return this.moves.joinHere(target, rooms, this.#claim(whenGivenUp));
      }
      case 'fetchClients':
        return this.queries.fetchHere(data as ClientQuery);
      case 'countClients':
        return this.queries.countHere(data as ClientQuery);
      default:
        throw new WsError('UNKNOWN_ROUTE', 'This worker does not know the call.');
    }
  }

  /** Who has asked may not hear in time that its clients have joined, and tells its own caller that they have not. */
  #claim(whenGivenUp: WhenGivenUp): JoinClaim {
    const claim = new JoinClaim();
    whenGivenUp(
      () => this.rooms.withdraw(claim),
      () => this.rooms.confirm(claim),
    );
    return claim;
  }
}
