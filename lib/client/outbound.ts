import { routeKey } from '../protocol/route-key.js';
import { answerStream, type AnswerStream } from './answer-stream.js';
import type { ClientMessage } from './client-codec.interface.js';
import { encodeMessage, encodeValue } from './client-message.js';
import type { DroppedMessage, RequestOptions } from './client-options.interface.js';
import type { ClientTimer } from './client-runtime.js';
import type { Connection, ConnectionServices } from './connection.js';
import type { ConnectionSupervisor } from './connection.supervisor.js';
import type { Outgoing } from './outgoing.interface.js';
import type { AnswerFrame, PushFrame } from './server-frame.js';
import { badOption, WebSocketClientError } from './websocket-client.error.js';

/** How a request goes out, beside what the application says of it. */
export interface AskOptions extends Pick<Outgoing, 'isUrgent' | 'isFirst' | 'isBound'> {
  /** Another server does not answer it: resolves as soon as it has left. */
  readonly isTold?: boolean;
  /** Called when nobody waits for the answer any more, and the request has left. */
  readonly abandoned?: () => void;
}

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
  /** Set while something waits for its turn. */
  #pause: ClientTimer | null = null;
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
  send(message: ClientMessage, isUrgent = false): boolean {
    return this.#post({ text: this.#encode(message), message, isUrgent });
  }

  /** Sends any JSON value as it is; false when it was dropped. */
  sendValue(message: unknown, isBinary: boolean): boolean {
    return this.#post({ text: encodeValue(message), message, isBinary });
  }

  /** Sends a request, and resolves with its answer. */
  async ask(message: ClientMessage, options: RequestOptions = {}, how: AskOptions = {}): Promise<unknown> {
    const { codec, requestTimeout } = this.#services.options;
    const { timeout = requestTimeout, signal } = options;
    signal?.throwIfAborted();
    const isTold = how.isTold && codec.isOther;
    // Another server of pxl answers without ids: under the names.
    const number = isTold || (codec.isOther && !codec.beats) ? undefined : ++this.#lastId;
    const id = isTold ? undefined : (number ?? routeKey(message.type, message.action));
    const text = this.#encode(message, number);
    let end = (): void => undefined;
    const answer = new Promise((resolve, reject) => {
      // A stream may end before it has said anything.
      const asker = { reply: resolve, done: () => resolve(null), fail: reject };
      const asking: Outgoing = { ...how, text, message, id, asker };
      const giveUp = (reason: unknown): void => {
        asker.fail(reason);
        if (this.#forget(asking)) how.abandoned?.();
      };
      const abandon = (): void => giveUp(signal?.reason);
      const late = (): void => giveUp(new WebSocketClientError('TIMEOUT', 'There was no answer in time.'));
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
      if (this.#forget(asking) && isLeft) this.send({ type: 'system', action: 'cancel', data: { id } }, true);
    };
    const asker = answerStream(() => void this.#post(asking), end, signal);
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

  /** The application and the rooms have had their word on a connection: what has waited leaves. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  /** The connection is gone: what was sent over it is not answered any more, and nothing else leaves if it was the last. */
  ended(error: WebSocketClientError, isLast: boolean): void {
    this.#isOpen = false;
    this.#rest();
    const waiting = [...this.#queue, ...this.#first];
    for (const { asker } of this.#sent.values()) asker?.fail(error);
    for (const outgoing of waiting) {
      this.#remove(outgoing);
      if (isLast || outgoing.isBound) this.#drop(outgoing, 'disconnected', error);
      else this.#wait(outgoing);
    }
  }

  #encode(message: ClientMessage, id?: number): string {
    return encodeMessage(message, this.#services.options.codec, id);
  }

  /**
   * @returns false when the message was dropped
   * @throws WebSocketClientError BAD_MESSAGE for one that is known to be too large
   */
  #post(outgoing: Outgoing): boolean {
    const { connection, state } = this.#supervisor;
    const { allowance, options } = this.#services;
    const { text, isUrgent, isFirst } = outgoing;
    allowance.check(text);
    const isPaced = !isUrgent && (isFirst ?? options.queue);
    if (connection && !this.#sent.has(outgoing.id) && !(isPaced && (this.#pause || allowance.wait() > 0))) {
      this.#leave(connection, outgoing);
      return true;
    }
    if (state === 'disconnected') {
      this.#drop(outgoing, 'disconnected');
      return false;
    }
    if (connection && (isFirst || !this.#isOpen)) this.#first.add(outgoing);
    else if (!this.#wait(outgoing)) return false;
    if (!this.#pause) this.#pump();
    return true;
  }

  /** @returns false when the message was dropped */
  #wait(outgoing: Outgoing): boolean {
    const { queue } = this.#services.options;
    const [oldest] = this.#queue;
    const isFull = queue && this.#queue.size >= queue.limit;
    if (!queue || (isFull && queue.policy === 'dropNewest')) {
      this.#drop(outgoing, queue ? 'overflow' : 'offline');
      return false;
    }
    this.#queue.add(outgoing);
    if (isFull && oldest) {
      this.#queue.delete(oldest);
      this.#drop(oldest, 'overflow');
    }
    return true;
  }

  /** Lets leave what waits, as far as it may. */
  #pump(): void {
    this.#rest();
    const { allowance, runtime } = this.#services;
    for (const outgoing of [...this.#first, ...(this.#isOpen ? this.#queue : [])]) {
      const { connection } = this.#supervisor;
      // Under the same names one request at a time is answered; others wait for it.
      if (!connection || this.#sent.has(outgoing.id)) continue;
      const wait = allowance.wait();
      if (wait > 0) {
        this.#pause = runtime.timeout(wait, () => this.#pump());
        return;
      }
      // Who is told of a message may have caused another one to go.
      if (!this.#remove(outgoing)) continue;
      try {
        allowance.check(outgoing.text);
        this.#leave(connection, outgoing);
      } catch (error) {
        this.#drop(outgoing, 'tooLarge', error);
      }
    }
  }

  #leave(connection: Connection, outgoing: Outgoing): void {
    const { text, isBinary, id, asker } = outgoing;
    connection.send(text, isBinary);
    if (id) this.#sent.set(id, outgoing);
    else asker?.done();
  }

  #drop(
    { message, asker }: Outgoing,
    reason: DroppedMessage['reason'],
    error: unknown = new WebSocketClientError('UNAVAILABLE', 'There is no connection right now.'),
  ): void {
    if (asker) asker.fail(error);
    else this.#dropped({ message, reason });
  }

  /** @returns whether the request had left */
  #forget(asking: Outgoing): boolean {
    this.#remove(asking);
    const hasLeft = this.#sent.get(asking.id) === asking && this.#sent.delete(asking.id);
    if (this.#services.options.codec.isOther) this.#pump();
    return hasLeft;
  }

  /** @returns whether it has waited */
  #remove(outgoing: Outgoing): boolean {
    return [this.#first, this.#queue].some((all) => all.delete(outgoing));
  }

  #rest(): void {
    this.#pause?.cancel();
    this.#pause = null;
  }
}
