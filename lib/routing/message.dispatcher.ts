import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import type { SessionDispatcher } from '../clients/session/session-endpoint.interface.js';
import { LiveTraces } from '../clients/traces/live-traces.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import type { InboundMessage } from '../protocol/messages.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Timings } from '../runtime/metrics/timings.js';
import { Runtime } from '../runtime/runtime.js';
import { Traffic } from '../runtime/traffic.js';
import { Tracing } from '../tracing/tracing.js';
import { Exchange, type ExchangeServices } from './exchange/exchange.js';
import { UnknownRoutes } from './unknown-routes.js';

/** Finds the route of a message and runs its handler. */
@Injectable()
export class MessageDispatcher implements SessionDispatcher {
  readonly #services: ExchangeServices;
  readonly #unknown = new UnknownRoutes();
  #refusing = false;

  constructor(
    runtime: Runtime,
    errors: ErrorReporter,
    counters: RefusalCounters,
    timings: Timings,
    traffic: Traffic,
    readonly tracing: Tracing,
    traces: LiveTraces,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#services = { runtime, errors, counters, timings, traffic, tracing, traces, options };
  }

  dispatch(session: ClientSession, message: InboundMessage, arrivedAt?: number): Promise<void> | undefined {
    const { router, path } = session.endpoint;
    const route = router.find(message.type, message.action);
    const exchange = new Exchange(this.#services, session, message, route);
    if (!route) {
      this.#unknown.tell(path, message.type, message.action);
      exchange.fail(new WsError('UNKNOWN_ROUTE', 'There is no such route.'));
      return undefined;
    }
    // Immediate routes work to the end: handlers that still run may wait for their client's answers.
    if (this.#refusing && !route.immediate) {
      exchange.fail(new WsError('UNAVAILABLE', 'The server is shutting down.'));
      return undefined;
    }
    return exchange.run(route, arrivedAt);
  }

  /** From now on messages are answered UNAVAILABLE; handlers that run finish. */
  stop(): void {
    this.#refusing = true;
  }
}
