import { routeKey } from '../protocol/route-key.js';
import { AnswerStream } from './answer-stream.js';
import type { ClientMessage } from './client-codec.interface.js';
import { encodeMessage, encodeValue } from './client-message.js';
import type { DroppedMessage, RequestOptions } from './client-options.interface.js';
import type { ConnectionServices } from './connection.js';
import type { ConnectionSupervisor } from './connection.supervisor.js';
import { OfflineQueue, type Outgoing } from './offline-queue.js';
import type { AnswerFrame, PushFrame } from './server-frame.js';
import { badOption, WebSocketClientError } from './websocket-client.error.js';

/** What goes out: at once where a connection stands, else once one does, as far as the queue holds it. */
export class Outbound {
  readonly #services: ConnectionServices;
  readonly #supervisor: ConnectionSupervisor;
  readonly #dropped: (message: DroppedMessage) => void;
  readonly #queue: OfflineQueue;
  /** Requests that have left and wait for answers, by their ids. */
  readonly #sent = new Map<unknown, Outgoing>();
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
    this.#queue = new OfflineQueue(services.options.queue, (outgoing, reason) => this.#drop(outgoing, reason));
  }

  /** Sends a message that wants no answer; false when it was dropped. */
  send(message: ClientMessage): boolean {
    return this.#post({ text: this.#encode(message), message });
  }

  /** Sends any JSON value as it is; false when it was dropped. */
  sendValue(message: unknown, isBinary: boolean): boolean {
    return this.#post({ text: encodeValue(message), message, isBinary });
  }

  /**
   * Sends a request, and resolves with its answer.
   *
   * @param isTold another server does not answer it: resolves as soon as it has left
   */
  async ask(message: ClientMessage, options: RequestOptions = {}, isTold = false): Promise<unknown> {
    const { codec, requestTimeout } = this.#services.options;
    const { timeout = requestTimeout, signal } = options;
    signal?.throwIfAborted();
    isTold &&= codec.isOther;
    // Another server of pxl answers without ids: under the names.
    const number = isTold || (codec.isOther && !codec.beats) ? undefined : ++this.#lastId;
    const id = isTold ? undefined : (number ?? routeKey(message.type, message.action));
    const text = this.#encode(message, number);
    let end = (): void => undefined;
    const answer = new Promise((resolve, reject) => {
      // A stream may end before it has said anything.
      const asking: Outgoing = {
        text,
        message,
        id,
        asker: { reply: resolve, done: () => resolve(null), fail: reject },
      };
      const abandon = (): void => reject(signal?.reason as Error);
      const late = (): void => reject(new WebSocketClientError('TIMEOUT', 'There was no answer in time.'));
      const timer = timeout && this.#services.runtime.timeout(timeout, late);
      signal?.addEventListener('abort', abandon);
      end = () => {
        if (timer) timer.cancel();
        signal?.removeEventListener('abort', abandon);
        this.#forget(asking);
      };
      this.#post(asking);
    });
    return answer.finally(end);
  }

  /** The answers of a request, which is sent when the first one is asked for. */
  stream(message: ClientMessage, signal: AbortSignal | undefined): AnswerStream {
    if (this.#services.options.codec.isOther) throw badOption('Another server has no streams.');
    // An id is never given again, so that a late answer finds nobody.
    const id = ++this.#lastId;
    const text = this.#encode(message, id);
    const end = (isLeft: boolean): void => {
      if (this.#forget(asking) && isLeft) this.send({ type: 'system', action: 'cancel', data: { id } });
    };
    const asker = new AnswerStream(() => void this.#post(asking), end, signal);
    const asking: Outgoing = { text, message, id, asker };
    return asker;
  }

  /** Gives an answer to whoever waits for it. @returns false when nobody does, or it is no answer */
  settle(frame: AnswerFrame | PushFrame): boolean {
    const asker = this.#sent.get(frame.id)?.asker;
    if (!asker || frame.data !== undefined) return false;
    if (frame.kind === 'done') asker.done();
    else if (frame.kind === 'error') asker.fail(frame.error);
    else asker.reply(frame.response);
    return true;
  }

  /** A connection stands: what has waited leaves. */
  flush(): void {
    for (const outgoing of this.#queue.takeAll()) this.#post(outgoing);
  }

  /** The connection is gone: what was sent over it is not answered any more, and nothing else leaves if it was the last. */
  ended(error: WebSocketClientError, isLast: boolean): void {
    for (const { asker } of this.#sent.values()) asker?.fail(error);
    if (isLast) for (const outgoing of this.#queue.takeAll()) this.#drop(outgoing, 'disconnected', error);
  }

  #encode(message: ClientMessage, id?: number): string {
    return encodeMessage(message, this.#services.options.codec, id);
  }

  /** @returns false when the message was dropped */
  #post(outgoing: Outgoing): boolean {
    const { connection, state } = this.#supervisor;
    // Under the same names one request at a time is answered; others wait for it.
    if (connection && !this.#sent.has(outgoing.id)) {
      connection.send(outgoing.text, outgoing.isBinary);
      if (outgoing.id) this.#sent.set(outgoing.id, outgoing);
      else outgoing.asker?.done();
      return true;
    }
    if (state !== 'disconnected') return this.#queue.add(outgoing);
    this.#drop(outgoing, 'disconnected');
    return false;
  }

  #drop(
    { message, asker }: Outgoing,
    reason: DroppedMessage['reason'],
    error = new WebSocketClientError('UNAVAILABLE', 'There is no connection right now.'),
  ): void {
    if (asker) asker.fail(error);
    else this.#dropped({ message, reason });
  }

  /** @returns whether the request had left */
  #forget(asking: Outgoing): boolean {
    this.#queue.remove(asking);
    const hasLeft = this.#sent.get(asking.id) === asking && this.#sent.delete(asking.id);
    if (this.#services.options.codec.isOther) this.flush();
    return hasLeft;
  }
}
