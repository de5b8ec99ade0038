import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { WsError } from '../errors/ws.error.js';
import { toErrorPayload } from '../errors/exception-mapper.js';
import type { InboundMessage } from '../protocol/messages.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { routeKey, SYSTEM_TYPE } from '../protocol/route-key.js';
import { termsText } from '../protocol/welcome-terms.js';
import type { Runtime } from '../runtime/runtime.js';
import { SlidingSecond } from '../runtime/sliding-second.js';
import { OPEN } from '../runtime/socket-state.js';

/** Bytes of the longest request of a page. */
export const MAX_PAYLOAD = 16_384;
/** Requests of a page per second. */
const RATE = 50;
/** Bytes that wait for a page which is told no more samples meanwhile: its network is slower than they come. */
const FULL = 1_048_576;
/** Bytes that wait for a page which is cut: it asks, and does not read the answers. */
const MOST = 4 * FULL;
/** What pages are told of the server's heartbeat, in ms: it is they who ask. */
const HEARTBEAT = { interval: 15_000, timeout: 10_000 };
const TERMS = termsText({
  heartbeat: HEARTBEAT,
  limits: { maxPayload: MAX_PAYLOAD, messagesPerSecond: RATE, burst: RATE, rooms: null },
});

/** Who looks. */
export interface ConsoleVisitor {
  readonly request: IncomingMessage;
  /** Goes nowhere: a guard for HTTP may want to set a header. */
  readonly response: ServerResponse;
  readonly ip: string;
  /** Null: the guard has named nobody. */
  readonly who: string | null;
}

/** Answers what pages ask. */
export interface ConsoleHandlers {
  /** Undefined for a name that nobody answers. */
  answer(socket: ConsoleSocket, name: string, data: unknown): unknown;
  /** What has failed that nobody waits for. */
  failed(error: unknown): void;
  left(socket: ConsoleSocket): void;
}

/** The connection of one page: a small server of `pxl.v1`, without rooms. */
export class ConsoleSocket {
  readonly #rate: SlidingSecond;
  #isHeard = true;

  constructor(
    readonly ws: WebSocket,
    readonly visitor: ConsoleVisitor,
    private readonly handlers: ConsoleHandlers,
    private readonly runtime: Runtime,
  ) {
    this.#rate = new SlidingSecond(RATE, runtime);
    ws.on('error', () => undefined); // ws closes the connection, and that is all that there is to do
    ws.on('pong', () => (this.#isHeard = true));
    ws.on('message', (data: Buffer) => void this.#take(data.toString()));
    ws.on('close', () => this.handlers.left(this));
  }

  welcome(): void {
    const [clientId, time] = [this.runtime.randomId(12), this.runtime.now()];
    for (const text of pxlCodec.encodeWelcome({ clientId, terms: TERMS, userId: undefined, time })) this.#send(text);
  }

  /** Whether it has been heard since the last time; otherwise it is cut. Asks it for a sign of life. */
  isAlive(): boolean {
    if (!this.#isHeard) this.ws.terminate();
    const wasHeard = this.#isHeard;
    this.#isHeard = false;
    if (wasHeard && this.ws.readyState === OPEN) this.ws.ping();
    return wasHeard;
  }

  /** Nothing is told to a page that reads too slowly: the next sample is as good. */
  push(type: string, action: string, data: unknown): void {
    if (this.ws.bufferedAmount < FULL) this.#send(JSON.stringify({ type, action, data }));
  }

  async #take(text: string): Promise<void> {
    this.#isHeard = true;
    const message = pxlCodec.decode(text);
    if ('problem' in message) {
      this.#send(pxlCodec.encodeError({ error: message.problem, code: 'BAD_MESSAGE', retryable: false }, message));
      return;
    }
    try {
      this.#send(await this.#answer(message));
    } catch (error) {
      if (!(error instanceof WsError)) this.handlers.failed(error);
      this.#send(pxlCodec.encodeError(toErrorPayload(error), message));
    }
  }

  async #answer(message: InboundMessage): Promise<string> {
    const { type, action, data, id } = message;
    if (this.#rate.isSpent) throw new WsError('RATE_LIMITED', 'Too many requests.', { details: { retryAfter: 1_000 } });
    this.#rate.take();
    if (type === SYSTEM_TYPE && action === 'ping') {
      return pxlCodec.encodeReply({ type, action: 'pong', id }, { time: this.runtime.now() });
    }
    return pxlCodec.encodeReply(message, await this.handlers.answer(this, routeKey(type, action), data));
  }

  #send(text: string): void {
    if (this.ws.bufferedAmount > MOST) this.ws.terminate();
    else if (this.ws.readyState === OPEN) this.ws.send(text);
  }
}
