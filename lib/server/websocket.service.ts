import { Injectable } from '@nestjs/common';
import { isNativeError } from 'node:util/types';
import { TokenRevocation, type RevokeOptions } from '../auth/token-revocation.js';
import { ClientManager } from '../clients/client-manager.js';
import { applicationClose } from '../clients/close-reason.js';
import type { WsClient } from '../clients/ws-client.js';
import type { Target } from '../cluster/envelope.js';
import { toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import type { ClientEntry } from '../interfaces/client-entry.interface.js';
import { RefusalCounters, type LimitName } from '../limits/refusal-counters.js';
import type { WebSocketMessage } from '../protocol/messages.js';
import { Delivery } from './delivery.js';
import { Health, type WebSocketHealth } from './health.js';
import { RoomMoves, type RoomMove } from './room-moves.js';
import { targetOf, type SendDestination } from './send-destination.js';

/** What every send of {@link WebSocketService} takes besides its message. */
export interface SendOptions {
  /** Ids of clients that do not get it. */
  exclude?: readonly string[];
  /** True: a client over its `limits.maxBufferedBytes` may miss it. Default: false. */
  volatile?: boolean;
}

/** What {@link WebSocketService.send} takes. */
export interface SendRequest {
  destination?: SendDestination;
  /** An event name with its data; anything but undefined. */
  payload: { topic: string; data: unknown };
  /** Called once the message is on its way. */
  cb?: () => void;
}

/** How {@link WebSocketService} closes connections. */
export interface CloseOptions {
  /** 1000 or 3000–4999; default 4506, on which clients do not come back by themselves. */
  code?: number;
  /** For people, cut to 123 bytes. */
  reason?: string;
}

/** Which clients are asked for; both: the user's clients in the room; none: all. */
export interface ClientQuery {
  room?: string;
  userId?: string | number;
}

/**
 * The messaging facade that an application injects anywhere. Sends are cluster-wide and reach this worker's own clients
 * before the call returns; the promises tell whether the other workers were reached.
 *
 * Every send rejects with BAD_MESSAGE when the message has no JSON form (nothing is sent then), and with UNAVAILABLE
 * when other workers cannot be reached. Unknown clients, users and rooms are no error.
 */
@Injectable()
export class WebSocketService {
  constructor(
    private readonly delivery: Delivery,
    private readonly clients: ClientManager,
    private readonly roomMoves: RoomMoves,
    private readonly health: Health,
    private readonly revocation: TokenRevocation,
    private readonly refusals: RefusalCounters,
  ) {}

  /** To every client. */
  broadcast(message: WebSocketMessage, options?: SendOptions): Promise<void> {
    return this.#send({ kind: 'everybody' }, message, options);
  }

  /** To the clients with these ids, each once. */
  sendToClients(clientIds: readonly string[], message: WebSocketMessage, options?: SendOptions): Promise<void> {
    return this.#send({ kind: 'clients', clientIds }, message, options);
  }

  /** To every session of these users. */
  sendToUsers(userIds: readonly (string | number)[], message: WebSocketMessage, options?: SendOptions): Promise<void> {
    return this.#send({ kind: 'users', userIds: userIds.map(String) }, message, options);
  }

  /** To the members of these rooms; a client in several of them gets it once. */
  sendToRooms(roomNames: readonly string[], message: WebSocketMessage, options?: SendOptions): Promise<void> {
    return this.#send({ kind: 'rooms', roomNames }, message, options);
  }

  /** To everybody, as `{ type: 'user', action, data }`. */
  sendUserMessage(action: string, data: unknown): Promise<void> {
    return this.broadcast({ type: 'user', action, data });
  }

  /** To everybody, as `{ type: 'system', action, data }`. */
  sendSystemMessage(action: string, data: unknown): Promise<void> {
    return this.broadcast({ type: 'system', action, data });
  }

  /** To everybody, as `{ type: 'error', action, data }`. Of an Error only message and code are sent, never its stack. */
  sendErrorMessage(action: string, error: unknown): Promise<void> {
    return this.broadcast({ type: 'error', action, data: isError(error) ? describe(error) : error });
  }

  /**
   * Sends the event `topic` to a destination, to everybody by default.
   *
   * @throws WsError BAD_MESSAGE without a topic or data, and for a destination that is none
   */
  async send({ destination, payload, cb }: SendRequest): Promise<void> {
    const { topic, data } = payload;
    if (typeof topic !== 'string' || topic === '') throw new WsError('BAD_MESSAGE', 'The topic is an event name.');
    if (data === undefined) throw new WsError('BAD_MESSAGE', 'There is no data to send.');
    await this.#send(targetOf(destination, this.clients), { event: topic, data });
    cb?.();
  }

  /**
   * Puts clients into rooms; resolves once they receive what is sent there.
   *
   * @throws WsError INVALID_ROOM before anything is done; ROOM_LIMIT, UNAVAILABLE or TIMEOUT when one of the joins failed,
   * after all of them were tried
   */
  joinRooms(move: RoomMove): Promise<void> {
    return this.roomMoves.join(move);
  }

  /** Takes clients out of rooms. */
  leaveRooms(move: RoomMove): Promise<void> {
    return settle(() => this.roomMoves.leave(move));
  }

  /** @throws WsError BAD_MESSAGE for a code that an application cannot close with */
  disconnectClients({ clientIds, ...close }: CloseOptions & { clientIds: readonly string[] }): Promise<void> {
    return settle(() => {
      const { code, reason } = applicationClose(close.code, close.reason);
      for (const clientId of clientIds) this.clients.disconnectClient({ clientId, code, reason });
    });
  }

  /** Every session of a user; otherwise as {@link disconnectClients}. */
  disconnectUser({ userId, ...close }: CloseOptions & { userId: string | number }): Promise<void> {
    return this.disconnectClients({ ...close, clientIds: this.clients.getClientsByUser({ userId }).map(idOf) });
  }

  /** Every member of a room; otherwise as {@link disconnectClients}. */
  disconnectRoom({ room, ...close }: CloseOptions & { room: string }): Promise<void> {
    return this.disconnectClients({ ...close, clientIds: this.clients.getClientsByRoom({ room }).map(idOf) });
  }

  /** @returns `partial`: true when a worker did not answer, so that its clients are missing */
  fetchClients(query: ClientQuery = {}): Promise<{ clients: ClientEntry[]; partial: boolean }> {
    return Promise.resolve({ clients: this.#find(query), partial: false });
  }

  /** @returns `partial`: true when a worker did not answer, so that its clients are missing */
  countClients(query: ClientQuery = {}): Promise<{ count: number; partial: boolean }> {
    return Promise.resolve({ count: this.#find(query).length, partial: false });
  }

  /** How this worker is. Waits for nothing, so that a probe may ask as often as it likes. */
  getWebSocketHealth(): WebSocketHealth {
    return this.health.read();
  }

  /**
   * Ends the connections of a user's tokens, or of one token, with 4506, and has these tokens refused until they have
   * expired by themselves. Tokens tell their time of issue in whole seconds: one of the same second is revoked too.
   *
   * @throws WsError BAD_MESSAGE unless exactly one of `userId` and `jti` is given
   */
  revoke(options: RevokeOptions): Promise<void> {
    return this.revocation.revoke(options);
  }

  /** How often each limit of this worker has refused something since its start; those that have, by their names. */
  getRefusals(): Partial<Record<LimitName, number>> {
    return this.refusals.snapshot();
  }

  async #send(
    target: Target,
    message: unknown,
    { exclude = [], volatile: isVolatile }: SendOptions = {},
  ): Promise<void> {
    await this.delivery.send({ target, exclude, message, isVolatile });
  }

  #find({ room, userId }: ClientQuery): WsClient[] {
    if (userId === undefined) {
      return room === undefined ? this.clients.getClients() : this.clients.getClientsByRoom({ room });
    }
    const sessions = this.clients.getClientsByUser({ userId });
    return room === undefined ? sessions : sessions.filter(({ rooms }) => rooms.has(room));
  }
}

function idOf({ clientId }: WsClient): string {
  return clientId;
}

/** What the work returns or throws, as a promise: no verb of the service throws at the call. */
function settle<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function isError(value: unknown): value is Error {
  // An error of another realm (Jest's vm, a worker) is no instance of this realm's Error.
  return value instanceof Error || isNativeError(value);
}

function describe(error: Error): { error: string; code: unknown } {
  const { code = toErrorPayload(error).code } = error as Error & { code?: unknown };
  return { error: error.message, code };
}
