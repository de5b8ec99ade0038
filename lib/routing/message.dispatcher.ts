import { AsyncResource } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { closeForGood } from '../clients/session/close-for-good.js';
import type { WsClient } from '../clients/ws-client.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import { MessageRates } from '../limits/message-rates.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import type { InboundMessage, ProtocolError } from '../protocol/messages.js';
import { SYSTEM_TYPE } from '../protocol/route-key.js';
import type { WsRedisClient } from '../options/redis.options.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { Traffic } from '../runtime/traffic.js';
import { Exchange, type ExchangeServices } from './exchange/exchange.js';
import type { Router } from './router.js';
import { UnknownRoutes } from './unknown-routes.js';

/** Brings a client's message to its handler. */
@Injectable()
export class MessageDispatcher {
  readonly #services: ExchangeServices;
  readonly #unknown = new UnknownRoutes();
  #refusing = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    private readonly traffic: Traffic,
    private readonly rates: MessageRates,
    counters: RefusalCounters,
    @Inject(PXL_WS_REDIS) private readonly redis: WsRedisClient | null,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#services = { runtime, errors, counters, options };
  }

  /** Takes what a client has sent: a message runs now, or waits for its turn in the client's queue. */
  receive(client: WsClient, router: Router, message: InboundMessage | ProtocolError): void {
    this.traffic.messages.mark();
    if (!this.#isInRate(client, message)) return;
    if ('problem' in message) {
      this.refuse(client, message);
      return;
    }
    if (client.state !== 'authenticated' && !mayComeFirst(message)) {
      this.#refuseMessage(client, message, new WsError('UNAUTHENTICATED', client.codec.unauthenticated));
      return;
    }
    // The client library pings by itself when it hears nothing: that is no sign of its user.
    if (message.action !== 'ping' || message.type !== SYSTEM_TYPE) client.lastActivity = this.runtime.now();
    if (this.options.events.onMessage) this.#notify(client, message);
    if (!this.#begin(client, message)) return;
    // Only the library's own routes pass the queue, so only they are looked up before it.
    const immediate = message.type === SYSTEM_TYPE && router.find(SYSTEM_TYPE, message.action)?.immediate;
    if (immediate) void this.handle(client, router, message);
    else client.inbound.push(message);
  }

  /** Runs one message. Undefined when it has left the client's queue; else a promise that settles, never rejecting. */
  handle(client: WsClient, router: Router, message: InboundMessage): Promise<void> | undefined {
    const route = router.find(message.type, message.action);
    const exchange = new Exchange(this.#services, client, message, route);
    if (!route) {
      this.#unknown.tell(client.path, message.type, message.action);
      exchange.fail(new WsError('UNKNOWN_ROUTE', 'There is no such route.'));
      return undefined;
    }
    // What passes the queue is needed to the end: running handlers wait for their client's answers.
    if (this.#refusing && !route.immediate) {
      exchange.fail(new WsError('UNAVAILABLE', 'The server is shutting down.'));
      return undefined;
    }
    return exchange.run(route);
  }

  /** Answers a frame that is no message. */
  refuse(client: WsClient, { problem, details, id }: ProtocolError): void {
    const error = { error: problem, code: 'BAD_MESSAGE', retryable: false, details };
    client.sendText(client.codec.encodeError(error, { id }));
  }

  /** From now on new messages are answered UNAVAILABLE; those that run finish. */
  stop(): void {
    this.#refusing = true;
  }

  /** Ends what a client that is gone still has open. */
  release(client: WsClient): void {
    for (const stream of [...client.streams]) stream.cancel();
    client.endCalls();
  }

  #isInRate(client: WsClient, message: InboundMessage | ProtocolError): boolean {
    const verdict = this.rates.count(client);
    if (verdict.kind === 'flooding') {
      closeForGood(client, CLOSE_CODES.RATE_LIMITED, this.runtime);
    } else if (verdict.kind === 'refused') {
      const { retryAfter } = verdict;
      this.#refuseMessage(
        client,
        message,
        new WsError('RATE_LIMITED', 'Too many messages.', { details: { retryAfter } }),
      );
    }
    return verdict.kind === 'allowed';
  }

  #refuseMessage(client: WsClient, message: InboundMessage | ProtocolError, error: WsError): void {
    client.sendText(client.codec.encodeError(toErrorPayload(error), message));
  }

  /** Keeps the id in use until the request is answered. */
  #begin(client: WsClient, message: InboundMessage): boolean {
    if (message.id === undefined || client.beginRequest(message.id)) return true;
    // Answered without the id: the client could not tell it from the answer to the first request.
    this.refuse(client, { problem: 'The id is still in use.', id: undefined });
    return false;
  }

  #notify(client: WsClient, { whole }: InboundMessage): void {
    const { ws, clientId } = client;
    const { redis } = this;
    const notify = async (): Promise<void> => {
      try {
        await this.options.events.onMessage?.({ ws, client, clientId, data: whole, redis, redisInstance: redis });
      } catch (error) {
        this.errors.report('events.onMessage failed.', error, clientId);
      }
    };
    // In a scope of its own: what it sets with `enterWith` would stay with the socket and all its later messages.
    void new AsyncResource('WsMessage', { requireManualDestroy: true }).runInAsyncScope(notify);
  }
}

/** What a client that has not authenticated may send: its credentials, and signs of life while they are verified. */
function mayComeFirst({ type, action }: InboundMessage): boolean {
  return type === SYSTEM_TYPE && (action === 'authenticate' || action === 'heartbeat');
}
