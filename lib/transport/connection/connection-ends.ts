import { Injectable } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { ModuleLogger } from '../../errors/module-logger.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import { CLOSE_CODES, LOST, PROTOCOL_ERROR, type CloseReason } from '../../protocol/close-codes.js';
import { BoundedCounts } from '../../runtime/metrics/bounded-counts.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { Runtime } from '../../runtime/runtime.js';
import { closeOfProxy } from './proxy-close.js';

/** Milliseconds between two lines of the log: a proxy ends all of its connections at once. */
const PAUSE = 60_000;

/** The codes of RFC 6455 (7.4.1), and those that the library closes with. */
const KNOWN = [
  ...Array.from({ length: 16 }, (_, at) => 1000 + at),
  ...Object.values(CLOSE_CODES).map(({ code }) => code),
].map(String);

/** Tells with what a connection has ended, and counts what ended it. */
@Injectable()
export class ConnectionEnds implements MetricSource {
  readonly #logger = new ModuleLogger();
  readonly #closes = new BoundedCounts(KNOWN);
  #byProxies = 0;
  #toldAt = -Infinity;

  constructor(
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
  ) {}

  /** Errors of the peer (bad frames, resets) end its connection: 'close' follows with the code. Here they are only counted. */
  readonly noteError = ({ code }: Error & { code?: string }): void => {
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.counters.count('maxPayload');
    else if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') this.counters.count('fragments');
  };

  /**
   * To be called once for each connection.
   *
   * @param end as the socket tells it: what a proxy has done is the client's fault there, or a break without a reason
   */
  of(ws: WebSocket, end: CloseReason): CloseReason {
    const cause = this.#causeOf(ws, end);
    this.#closes.count(String(cause.code));
    return cause;
  }

  *metrics(): Iterable<WebSocketMetric> {
    for (const [code, count] of this.#closes) yield counter('closes', count, { code });
    yield counter('proxy_closes', this.#byProxies);
  }

  #causeOf(ws: WebSocket, end: CloseReason): CloseReason {
    if (end.code !== PROTOCOL_ERROR && end.code !== LOST) return end;
    const byProxy = closeOfProxy(ws);
    if (byProxy) this.#note(byProxy);
    return byProxy ?? end;
  }

  #note({ code }: CloseReason): void {
    this.#byProxies++;
    const now = this.runtime.monotonic();
    if (now - this.#toldAt < PAUSE) return;
    this.#toldAt = now;
    this.#logger.log(`A proxy closes connections of clients, by a frame without a mask (${code}).`, {
      code: String(code),
    });
  }
}
