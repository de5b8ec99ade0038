import { Injectable } from '@nestjs/common';
import { closeForGood } from '../clients/session/close-for-good.js';
import { WsError } from '../errors/ws.error.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import type { RequestId } from '../protocol/messages.js';
import { SYSTEM_TYPE } from '../protocol/route-key.js';
import { Runtime } from '../runtime/runtime.js';
import type { RouteHandler } from '../clients/session/route.interface.js';
import { fieldsOf } from './message-fields.js';
import { RequestedJoins } from './rooms/requested-joins.js';
import { answerOf, RoomLists, type RoomListAnswer } from './rooms/room-lists.js';
import type { Router } from './router.js';

/** The built-in requests of Ignis, which are events: PROTOCOL.md "Built-in requests". */
@Injectable()
export class EventRoutes {
  constructor(
    private readonly joins: RequestedJoins,
    private readonly roomLists: RoomLists,
    private readonly runtime: Runtime,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler, immediate = false): void => {
      router.add(SYSTEM_TYPE, action, { source: `system.${action}`, immediate, handle, answersToIdsOnly: true });
    };
    add('join', async (client, { data, id }, exchange) => {
      const joins = this.joins.of(client, id, exchange);
      return told(await this.roomLists.join(client, fieldsOf(data).rooms, joins), id);
    });
    add('leave', (client, { data, id }) => told(this.roomLists.leave(client, fieldsOf(data).rooms), id));
    // It counts as activity, nothing else.
    add('heartbeat', () => undefined, true);
    add('disconnect', (client) => closeForGood(client, CLOSE_CODES.NORMAL, this.runtime));
  }
}

/** @throws WsError the first refusal of a message without an id, which gets no answer */
function told(answer: RoomListAnswer, id: RequestId | undefined): unknown {
  const [first] = answer.refused;
  if (!first || id !== undefined) return answerOf(answer);
  throw new WsError(first.code, 'Not every room of the list was joined or left.', { details: answer });
}
