import { Injectable } from '@nestjs/common';
import { InBandAuthentication } from '../auth/in-band-authentication.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { ClientList } from '../rooms/client-list.js';
import type { InboundMessage } from '../protocol/messages.js';
import { SYSTEM_TYPE as TYPE } from '../protocol/route-key.js';
import { Runtime } from '../runtime/runtime.js';
import { EventRoutes } from './event-routes.js';
import type { RouteHandler } from '../clients/session/route.interface.js';
import { NamedAnswer } from './exchange/exchange.js';
import { fieldsOf } from './message-fields.js';
import { HistoryRoutes } from './rooms/history-routes.js';
import { PresenceRoutes } from './rooms/presence-routes.js';
import { RoomRoutes } from './rooms/room-routes.js';
import { WhisperRoute } from './rooms/whisper-route.js';
import type { Router } from './router.js';

/** The requests that the library answers at every endpoint: type `system`, PROTOCOL.md "Built-in requests". */
@Injectable()
export class SystemRoutes {
  constructor(
    private readonly clientList: ClientList,
    private readonly inBand: InBandAuthentication,
    private readonly roomRoutes: RoomRoutes,
    private readonly eventRoutes: EventRoutes,
    private readonly historyRoutes: HistoryRoutes,
    private readonly presenceRoutes: PresenceRoutes,
    private readonly whisperRoute: WhisperRoute,
    private readonly runtime: Runtime,
  ) {}

  addTo(router: Router): void {
    const add = (action: string, handle: RouteHandler, immediate = false, isQuiet = false): void => {
      router.add(TYPE, action, { source: `system.${action}`, immediate, handle, isQuiet });
    };
    add('clientList', () => this.#clientList());
    add('authenticate', (session, message) => this.#authenticate(session, message), true);
    add('refresh', (session, { data }) => this.inBand.refresh(session, data), true);
    // Answered under the name `pong`, as PXL does.
    add('ping', () => new NamedAnswer(TYPE, 'pong', { time: this.runtime.now() }), true, true);
    // The answer to a ping that the application has sent as a message: it counts as activity, nothing else.
    add('pong', () => undefined, true, true);
    add('cancel', (session, { data }) => this.#cancel(session, data), true, true);
    add('answer', (session, { data }) => this.#answer(session, data), true, true);
    this.roomRoutes.addTo(router);
    this.eventRoutes.addTo(router);
    this.historyRoutes.addTo(router);
    this.presenceRoutes.addTo(router);
    this.whisperRoute.addTo(router);
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
