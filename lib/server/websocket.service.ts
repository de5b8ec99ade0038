import { Injectable } from '@nestjs/common';
import type { Target } from '../cluster/envelope.js';
import type { WebSocketMessage } from '../protocol/messages.js';
import { toErrorPayload } from '../errors/exception-mapper.js';
import { Delivery } from './delivery.js';

/** What every send of {@link WebSocketService} takes besides its message. */
export interface SendOptions {
  /** Ids of clients that do not get it. */
  exclude?: readonly string[];
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
  constructor(private readonly delivery: Delivery) {}

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
    return this.broadcast({ type: 'error', action, data: error instanceof Error ? describe(error) : error });
  }

  async #send(target: Target, message: unknown, { exclude = [] }: SendOptions = {}): Promise<void> {
    await this.delivery.send({ target, exclude, message });
  }
}

function describe(error: Error): { error: string; code: unknown } {
  const { code = toErrorPayload(error).code } = error as Error & { code?: unknown };
  return { error: error.message, code };
}
