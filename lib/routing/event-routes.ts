import { Injectable } from '@nestjs/common';
import { closeForGood } from '../clients/session/close-for-good.js';
import { WsError } from '../errors/ws.error.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import type { RequestId } from '../protocol/messages.js';
import { SYSTEM_TYPE } from '../protocol/route-key.js';
import { JoinClaim } from '../rooms/join-claims.js';
import { RoomLists, type RoomListAnswer } from '../rooms/room-lists.js';
import { Memberships } from '../rooms/memberships.js';
import { Runtime } from '../runtime/runtime.js';
import type { RouteHandler } from '../clients/session/route.interface.js';
import type { Router } from './router.js';

/** The built-in requests of Ignis, which are events: PROTOCOL.md "Built-in requests". */
@Injectable()
export class EventRoutes {
  constructor(
    private readonly memberships: Memberships,
    private readonly roomLists: RoomLists,
    private readonly runtime: Runtime,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler, immediate = false): void => {
      router.add(SYSTEM_TYPE, action, { source: `system.${action}`, immediate, handle, answersToIdsOnly: true });
    };
    add('join', async (client, { data, id }, exchange) => {
      const claim = new JoinClaim();
      exchange.whenGivenUp(() => this.memberships.withdraw(claim));
      return told(await this.roomLists.join(client, fieldsOf(data).rooms, claim), id);
    });
    add('leave', (client, { data, id }) => told(this.roomLists.leave(client, fieldsOf(data).rooms), id));
    // It counts as activity, nothing else.
    add('heartbeat', () => undefined, true);
    add('disconnect', (client) => closeForGood(client, CLOSE_CODES.NORMAL, this.runtime));
  }
}

/** @throws WsError the first refusal of a message without an id, which gets no answer */
function told(answer: RoomListAnswer, id: RequestId | undefined): RoomListAnswer {
  const [first] = answer.refused;
  if (!first || id !== undefined) return answer;
  throw new WsError(first.code, 'Not every room of the list was joined or left.', { details: answer });
}

/** @throws WsError BAD_MESSAGE when the data of a request is not an object */
export function fieldsOf(data: unknown): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new WsError('BAD_MESSAGE', 'The data is not an object.');
  }
  return data as Record<string, unknown>;
}
