import { Injectable } from '@nestjs/common';
import { InBandAuthentication } from '../auth/in-band-authentication.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { ClientList } from '../rooms/client-list.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { Memberships } from '../rooms/memberships.js';
import { checkRoomName } from '../rooms/room-name.js';
import { isUsername } from '../rooms/member-details.js';
import type { InboundMessage } from '../protocol/messages.js';
import { SYSTEM_TYPE as TYPE } from '../protocol/route-key.js';
import { Runtime } from '../runtime/runtime.js';
import { EventRoutes } from './event-routes.js';
import type { AckSource, RouteHandler } from '../clients/session/route.interface.js';
import { NamedAnswer } from './exchange/exchange.js';
import { fieldsOf } from './message-fields.js';
import { HistoryRoutes } from './rooms/history-routes.js';
import { RequestedJoins } from './rooms/requested-joins.js';
import type { Router } from './router.js';

/** The requests that the library answers at every endpoint: type `system`, PROTOCOL.md "Built-in requests". */
@Injectable()
export class SystemRoutes {
  constructor(
    private readonly memberships: Memberships,
    private readonly joins: RequestedJoins,
    private readonly clientList: ClientList,
    private readonly inBand: InBandAuthentication,
    private readonly eventRoutes: EventRoutes,
    private readonly historyRoutes: HistoryRoutes,
    private readonly runtime: Runtime,
    private readonly counters: RefusalCounters,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler, immediate = false): void => {
      router.add(TYPE, action, { source: `system.${action}`, immediate, handle });
    };
    add('joinRoom', (session, message, exchange) => this.#joinRoom(session, message, exchange));
    add('leaveRoom', (session, { data }) => this.#leaveRoom(session, data));
    add('clientList', () => this.#clientList());
    add('authenticate', (session, message) => this.#authenticate(session, message), true);
    add('refresh', (session, { data }) => this.inBand.refresh(session, data), true);
    // Answered under the name `pong`, as PXL does.
    add('ping', () => new NamedAnswer(TYPE, 'pong', { time: this.runtime.now() }), true);
    // The answer to a ping that the application has sent as a message: it counts as activity, nothing else.
    add('pong', () => undefined, true);
    add('cancel', (session, { data }) => this.#cancel(session, data), true);
    add('answer', (session, { data }) => this.#answer(session, data), true);
    this.eventRoutes.addTo(router);
    this.historyRoutes.addTo(router);
  }

  async #joinRoom(session: ClientSession, { data, id }: InboundMessage, exchange: AckSource): Promise<unknown> {
    const { roomName, username, since, history, was } = fieldsOf(data);
    checkRoomName(roomName, session.options.limits.roomName, this.counters);
    if (!isUsername(username)) {
      throw new WsError('BAD_MESSAGE', 'The username is not a text of at most 128 characters.');
    }
    const joins = this.joins.of(session, id, exchange);
    const verdict = await joins.join(roomName, { username, since, history, was });
    joins.confirm();
    const { userId, userType } = session.user ?? {};
    const joinedAt = new Date(this.runtime.now()).toISOString();
    return {
      success: true,
      message: 'Joined the room.',
      data: { userId, userType, username, roomName, joinedAt, ...verdict },
    };
  }

  #leaveRoom(session: ClientSession, data: unknown): unknown {
    const { roomName } = fieldsOf(data);
    checkRoomName(roomName, session.options.limits.roomName, this.counters);
    const wasMember = session.rooms.has(roomName);
    this.memberships.leave(session, roomName);
    if (wasMember) session.send({ type: 'user', action: 'leftRoom', data: { roomName } });
    const leftAt = new Date(this.runtime.now()).toISOString();
    return { success: true, message: 'Left the room.', data: { roomName, leftAt } };
  }

  async #authenticate(session: ClientSession, { data, id }: InboundMessage): Promise<unknown> {
    if (session.codec.name !== 'event.v1') return this.inBand.authenticate(session, data);
    // Clients of Ignis authenticate on every endpoint, and wait for `connected` only.
    const isSettled = this.inBand.isSettledByUpgrade(session);
    const answer = await (isSettled ? this.inBand.confirm(session, data) : this.inBand.authenticate(session, data));
    return id === undefined ? undefined : answer;
  }

  #clientList(): unknown {
    this.clientList.checkEnabled();
    return { clients: this.clientList.read() };
  }

  #cancel(session: ClientSession, data: unknown): undefined {
    const { id } = fieldsOf(data);
    if (typeof id !== 'string' && typeof id !== 'number') {
      throw new WsError('BAD_MESSAGE', 'The id to cancel is neither a string nor a number.');
    }
    session.cancelRequest(id);
    return undefined;
  }

  /** The answer to `WsClient.call`. */
  #answer({ calls }: ClientSession, data: unknown): undefined {
    const { callId, response, error } = fieldsOf(data);
    if (typeof callId !== 'number') throw new WsError('BAD_MESSAGE', 'The callId is not a number.');
    if (error === undefined) calls.answer(callId, response);
    else calls.refuse(callId, refusalOf(fieldsOf(error)));
    return undefined;
  }
}

/** The client's words stay in `cause`: a handler that does not catch the error would send them to another client. */
function refusalOf({ code, message }: Record<string, unknown>): WsError {
  const isCode = typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
  const cause = typeof message === 'string' ? new Error(message) : undefined;
  return new WsError(isCode ? code : 'APPLICATION', 'The client has refused.', { cause });
}
