import { routeKey } from '../../protocol/route-key.js';
import { answerStream, type AnswerStream } from './answer-stream.js';
import type { ClientMessage } from './client-codec.interface.js';
import { encodeMessage, encodeValue } from './client-message.js';
import type { DroppedMessage, RequestOptions } from '../options/client-options.interface.js';
import type { ClientTimer } from '../options/client-runtime.js';
import type { Connection, ConnectionServices } from '../connection/connection.js';
import type { ConnectionSupervisor } from '../connection/connection.supervisor.js';
import type { Outgoing, OutgoingOptions } from './outgoing.interface.js';
import type { AnswerFrame, PushFrame } from './server-frame.js';
import { badOption, WebSocketClientError } from '../websocket-client.error.js';

/**
 * Sends messages and requests. They leave at once when there is a connection and the server's rate allows it. Otherwise they
 * wait in the queue, up to its limit, and leave in order.
 */
export class Outbound {
  readonly #services: ConnectionServices;
  readonly #supervisor: ConnectionSupervisor;
  readonly #dropped: (message: DroppedMessage) => void;
  /** The messages that wait for a connection or for the rate, in order, up to the limit of the option `queue`. */
  readonly #queue = new Set<Outgoing>();
  /** The library's messages that leave before the queue. */
  readonly #first = new Set<Outgoing>();
  /** The requests that were sent and wait for answers, by id. */
  readonly #sent = new Map<unknown, Outgoing>();
  /** Runs until the rate allows another message. */
  #pause: ClientTimer | undefined;
  /** Whether the queue may be sent over the present connection. */
  #isOpen = false;
  #lastId = 0;

  /** @param dropped called for dropped messages, not for requests, which reject */
  constructor(
    services: ConnectionServices,
    supervisor: ConnectionSupervisor,
    dropped: (message: DroppedMessage) => void,
  ) {
    this.#services = services;
    this.#supervisor = supervisor;
    this.#dropped = dropped;
  }

  /** Sends a message without an answer; returns false when it was dropped. */
  send(message: ClientMessage, lane?: OutgoingOptions['lane']): boolean {
    return this.#post({ text: encodeMessage(message, this.#services.options.codec), message, lane });
  }

  /** Sends a message that waits for nothing; returns false when it was not sent. */
  whisper(message: ClientMessage): boolean {
    return this.#isOpen && this.#services.allowance.wait() <= 0 && this.send(message, 'now');
  }

  /** Sends any JSON value as it is; returns false when it was dropped. */
  sendValue(message: unknown, isBinary: boolean): boolean {
    return this.#post({ text: encodeValue(message), message, isBinary });
  }

  /**
   * Sends a request and resolves with its answer.
   *
   * @param own set for the library's own requests. Another server does not answer them, so they resolve when they are sent.
   */
  async ask(
    message: ClientMessage,
    { timeout = this.#services.options.requestTimeout, signal }: RequestOptions = {},
    own?: OutgoingOptions,
  ): Promise<unknown> {
    const answers = this.#answersTo(message, signal, own);
    const timer = this.#services.runtime.timeout(timeout || Infinity, () =>
      answers.end(true, new WebSocketClientError('TIMEOUT', 'There was no answer.')),
    );
    try {
      const { done, value } = await answers.next();
      // A stream may end without a value.
      return done ? null : value;
    } finally {
      timer.cancel();
      answers.end(false);
    }
  }

  /** Returns the answers of a request, which is sent when the first answer is read. */
  stream(message: ClientMessage, signal: AbortSignal | undefined): AnswerStream {
    if (this.#services.options.codec.isOther) throw badOption('The server has no streams.');
    return this.#answersTo(message, signal, {
      abandoned: (id) => void this.send({ type: 'system', action: 'cancel', data: { id } }, 'now'),
    });
  }

  /** Delivers an answer. @returns false when nobody waits for it, or the frame is not an answer */
  settle(frame: AnswerFrame | PushFrame): boolean {
    const { asker, heard } = this.#sent.get(frame.id) ?? {};
    if (!asker || frame.data !== undefined) return false;
    if (frame.kind === 'error') asker.end(false, frame.error);
    else if (frame.kind === 'done') asker.end(false);
    else {
      heard?.(frame.response);
      asker.reply(frame.response);
    }
    return true;
  }

  /** Lets the queue leave, after `onConnected` and the rooms on a new connection. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** Called when the connection has ended: requests that were sent over it fail; if it was the last one, the queue too. */
  ended(error: WebSocketClientError, isLast: boolean): void {
    this.#isOpen = false;
    this.#pause?.cancel();
    for (const { asker } of this.#sent.values()) asker?.end(false, error);
    for (const outgoing of [...this.#queue, ...this.#first]) {
      if (isLast || outgoing.lane) this.#drop(outgoing, 'disconnected', error);
    }
  }

  #answersTo(message: ClientMessage, signal: AbortSignal | undefined, own?: OutgoingOptions): AnswerStream {
    const { codec } = this.#services.options;
    // Ids are never reused, so that a late answer reaches nobody. Another server of pxl answers by names, without ids.
    const number = codec.isOther && (own || !codec.beats) ? undefined : ++this.#lastId;
    const id = number ?? (own ? undefined : routeKey(message.type, message.action));
    const text = encodeMessage(message, codec, number);
    const begin = (): void => void this.#post(asking);
    const ended = (isLeft: boolean): void => {
      this.#remove(asking);
      if (this.#sent.get(id) === asking && this.#sent.delete(id) && isLeft) own?.abandoned?.(id);
      // Requests with the same names may have waited for this one.
      this.#pump();
    };
    const asker = answerStream(begin, ended, signal);
    const asking: Outgoing = { ...own, text, message, id, asker };
    return asker;
  }

  /**
   * @returns false when the message was dropped
   * @throws WebSocketClientError BAD_MESSAGE when the message is known to be too large
   */
  #post(outgoing: Outgoing): boolean {
    const { connection, state } = this.#supervisor;
    const { allowance, options } = this.#services;
    const { text, id, lane } = outgoing;
    const refusal = allowance.refusalOf(text);
    if (refusal) throw refusal;
    const isAtOnce = lane ? lane === 'now' : !options.queue.limit;
    if (connection && isAtOnce && !this.#sent.has(id)) return this.#leave(connection, outgoing);
    if (state === 'disconnected') return this.#drop(outgoing, 'disconnected');
    const isFirst = connection && (lane === 'first' || !this.#isOpen);
    (isFirst ? this.#first : this.#queue).add(outgoing);
    this.#pump();
    const { limit, policy } = options.queue;
    if (this.#queue.size <= limit) return true;
    const [oldest = outgoing] = this.#queue;
    const surplus = policy === 'dropNewest' ? outgoing : oldest;
    this.#drop(surplus, limit ? 'overflow' : 'offline');
    return surplus !== outgoing;
  }

  /** Sends what waits, as far as the connection and the rate allow. */
  #pump(): void {
    const { allowance, runtime } = this.#services;
    for (const waiting of [this.#first, this.#isOpen ? this.#queue : []]) {
      for (const outgoing of waiting) {
        const { connection } = this.#supervisor;
        if (!connection) return;
        // Another server of pxl answers by names, so that only one request of the same names may be open.
        if (this.#sent.has(outgoing.id)) continue;
        const wait = allowance.wait();
        if (wait > 0) {
          this.#pause?.cancel();
          this.#pause = runtime.timeout(wait, () => this.#pump());
          return;
        }
        const refusal = allowance.refusalOf(outgoing.text);
        if (refusal) this.#drop(outgoing, 'tooLarge', refusal);
        else this.#leave(connection, outgoing);
      }
    }
  }

  #leave(connection: Connection, outgoing: Outgoing): true {
    const { text, isBinary, id, asker } = outgoing;
    this.#remove(outgoing);
    connection.send(text, isBinary);
    if (id) this.#sent.set(id, outgoing);
    else asker?.end(false);
    return true;
  }

  #drop(
    outgoing: Outgoing,
    reason: DroppedMessage['reason'],
    error: unknown = new WebSocketClientError('UNAVAILABLE', 'There is no connection.'),
  ): false {
    const { message, asker } = outgoing;
    this.#remove(outgoing);
    if (asker) asker.end(false, error);
    else this.#dropped({ message, reason });
    return false;
  }

  #remove(outgoing: Outgoing): void {
    this.#first.delete(outgoing);
    this.#queue.delete(outgoing);
  }
}
