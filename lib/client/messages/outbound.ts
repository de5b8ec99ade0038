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
 * What goes out. It leaves at once where a connection stands and its server takes another message now; all else waits, as
 * far as the queue holds it, and leaves in order when it may.
 */
export class Outbound {
  readonly #services: ConnectionServices;
  readonly #supervisor: ConnectionSupervisor;
  readonly #dropped: (message: DroppedMessage) => void;
  /** What waits for a connection, or for its turn on one, in order, up to the limit of the option `queue`. */
  readonly #queue = new Set<Outgoing>();
  /** What waits for its turn before the queue does. */
  readonly #first = new Set<Outgoing>();
  /** Requests that have left and wait for answers, by their ids. */
  readonly #sent = new Map<unknown, Outgoing>();
  /** Until the server takes another message. */
  #pause: ClientTimer | undefined;
  /** Whether the queue may leave over the connection that there is. */
  #isOpen = false;
  #lastId = 0;

  /** @param dropped told of messages, not of requests, which reject */
  constructor(
    services: ConnectionServices,
    supervisor: ConnectionSupervisor,
    dropped: (message: DroppedMessage) => void,
  ) {
    this.#services = services;
    this.#supervisor = supervisor;
    this.#dropped = dropped;
  }

  /** Sends a message that wants no answer; false when it was dropped. */
  send(message: ClientMessage, lane?: OutgoingOptions['lane']): boolean {
    return this.#post({ text: encodeMessage(message, this.#services.options.codec), message, lane });
  }

  /** Sends any JSON value as it is; false when it was dropped. */
  sendValue(message: unknown, isBinary: boolean): boolean {
    return this.#post({ text: encodeValue(message), message, isBinary });
  }

  /**
   * Sends a request, and resolves with its answer.
   *
   * @param own for the library's own ones: another server does not answer them, they resolve as soon as they have left
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
      // A stream may end before it has said anything.
      return done ? null : value;
    } finally {
      timer.cancel();
      answers.end(false);
    }
  }

  /** The answers of a request, which is sent when the first one is asked for. */
  stream(message: ClientMessage, signal: AbortSignal | undefined): AnswerStream {
    if (this.#services.options.codec.isOther) throw badOption('The server has no streams.');
    return this.#answersTo(message, signal, {
      abandoned: (id) => void this.send({ type: 'system', action: 'cancel', data: { id } }, 'now'),
    });
  }

  /** Gives an answer to whoever waits for it. @returns false when nobody does, or it is no answer */
  settle(frame: AnswerFrame | PushFrame): boolean {
    const asker = this.#sent.get(frame.id)?.asker;
    if (!asker || frame.data !== undefined) return false;
    if (frame.kind === 'error') asker.end(false, frame.error);
    else if (frame.kind === 'done') asker.end(false);
    else asker.reply(frame.response);
    return true;
  }

  /** The application and the rooms have had their word on a connection: what has waited leaves. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** The connection is gone: what was sent over it is not answered any more, and nothing else leaves if it was the last. */
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
    // An id is never given again, so that a late answer finds nobody. Another server of pxl answers without: under the names.
    const number = codec.isOther && (own || !codec.beats) ? undefined : ++this.#lastId;
    const id = number ?? (own ? undefined : routeKey(message.type, message.action));
    const text = encodeMessage(message, codec, number);
    const begin = (): void => void this.#post(asking);
    const ended = (isLeft: boolean): void => {
      this.#remove(asking);
      if (this.#sent.get(id) === asking && this.#sent.delete(id) && isLeft) own?.abandoned?.(id);
      // Others under the same names may have waited for it.
      this.#pump();
    };
    const asker = answerStream(begin, ended, signal);
    const asking: Outgoing = { ...own, text, message, id, asker };
    return asker;
  }

  /**
   * @returns false when the message was dropped
   * @throws WebSocketClientError BAD_MESSAGE for one that is known to be too large
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

  /** Lets leave what waits, as far as it may. */
  #pump(): void {
    const { allowance, runtime } = this.#services;
    for (const waiting of [this.#first, this.#isOpen ? this.#queue : []]) {
      for (const outgoing of waiting) {
        const { connection } = this.#supervisor;
        if (!connection) return;
        // Under the same names one request at a time is answered; others wait for it.
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
