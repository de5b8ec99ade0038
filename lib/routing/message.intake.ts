import { AsyncResource } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { closeForGood } from '../clients/session/close-for-good.js';
import type { SessionIntake } from '../clients/session/session-endpoint.interface.js';
import { LiveTraces } from '../clients/traces/live-traces.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import { MessageRates } from '../limits/message-rates.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import type { InboundMessage, ProtocolError } from '../protocol/messages.js';
import { SYSTEM_TYPE } from '../protocol/route-key.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { WsRedisClient } from '../options/redis.options.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { Runtime } from '../runtime/runtime.js';
import { Traffic } from '../runtime/traffic.js';
import { inContext } from '../runtime/request-context.js';
import { contextOfConnection, logSubject } from '../clients/session/session-context.js';

/** Decides what becomes of a message that has just arrived: it is queued, runs at once, or is refused. */
@Injectable()
export class MessageIntake implements SessionIntake {
  constructor(
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    private readonly traffic: Traffic,
    private readonly rates: MessageRates,
    private readonly traces: LiveTraces,
    @Inject(PXL_WS_REDIS) private readonly redis: WsRedisClient | null,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  take(session: ClientSession, message: InboundMessage | ProtocolError): void {
    const arrivedAt = this.traffic.messages.mark();
    if (!this.#isInRate(session, message)) return;
    if ('problem' in message) {
      this.#refuseFrame(session, message);
      return;
    }
    if (this.traces.isOn) this.traces.received(session, message);
    if (session.state !== 'authenticated' && !mayComeFirst(message)) {
      this.#refuse(session, message, new WsError('UNAUTHENTICATED', session.codec.unauthenticated));
      return;
    }
    // The client library pings by itself when it hears nothing, so a ping does not show that its user is active.
    if (message.action !== 'ping' || message.type !== SYSTEM_TYPE) session.lastActivity = this.runtime.now();
    if (this.options.events.onMessage) this.#notify(session, message);
    if (!this.#beginRequest(session, message)) return;
    const { router, dispatcher } = session.endpoint;
    // Only routes of the library are immediate, so only those are looked up before the queue.
    if (message.type === SYSTEM_TYPE && router.find(SYSTEM_TYPE, message.action)?.immediate) {
      void dispatcher.dispatch(session, message, arrivedAt);
    } else {
      session.inbound.push(message, arrivedAt);
    }
  }

  #isInRate(session: ClientSession, message: InboundMessage | ProtocolError): boolean {
    const verdict = this.rates.count(session);
    if (verdict.kind === 'flooding') {
      closeForGood(session, CLOSE_CODES.RATE_LIMITED, this.runtime);
    } else if (verdict.kind === 'refused') {
      const { retryAfter } = verdict;
      this.#refuse(session, message, new WsError('RATE_LIMITED', 'Too many messages.', { details: { retryAfter } }));
    }
    return verdict.kind === 'allowed';
  }

  #refuse(session: ClientSession, message: InboundMessage | ProtocolError, error: WsError): void {
    this.traffic.errors.count(error.code);
    session.sendText(session.codec.encodeError(toErrorPayload(error), message));
  }

  /** Answers a malformed frame. */
  #refuseFrame(session: ClientSession, { problem, details, id }: ProtocolError): void {
    const error = { error: problem, code: 'BAD_MESSAGE', retryable: false, details };
    this.traffic.errors.count(error.code);
    session.sendText(session.codec.encodeError(error, { id }));
  }

  /** Keeps the id in use until the request is answered; false when it is in use already. */
  #beginRequest(session: ClientSession, { id }: InboundMessage): boolean {
    if (id === undefined || session.beginRequest(id)) return true;
    // Answered without the id: the client could not tell it from the answer to the first request.
    this.#refuseFrame(session, { problem: 'The id is still in use.', id: undefined });
    return false;
  }

  #notify(session: ClientSession, { whole }: InboundMessage): void {
    const { redis } = this;
    const { ws, client, clientId } = session;
    const notify = async (): Promise<void> => {
      try {
        await this.options.events.onMessage?.({ ws, client, clientId, data: whole, redis, redisInstance: redis });
      } catch (error) {
        this.errors.report('events.onMessage failed.', error, logSubject(session));
      }
    };
    // In a scope of its own: what it sets with `enterWith` would stay with the socket and all its later messages.
    const context = contextOfConnection(session, this.options.requestContext);
    const scope = new AsyncResource('WsMessage', { requireManualDestroy: true });
    void scope.runInAsyncScope(() => inContext(context, notify));
  }
}

/** What a client that has not authenticated may send: its credentials, and signs of life while they are verified. */
function mayComeFirst({ type, action }: InboundMessage): boolean {
  return type === SYSTEM_TYPE && (action === 'authenticate' || action === 'heartbeat');
}
