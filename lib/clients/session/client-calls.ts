import { WsError } from '../../errors/ws.error.js';
import type { Codec } from '../../protocol/codec.interface.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { WsCallOptions } from '../../ws-client/ws-client.js';
import { OWN_SENDS } from './own-sends.js';
import { badMessage, checkNames } from '../verb-checks.js';

/** What {@link ClientCalls} uses of its session. */
export interface CallOwner {
  readonly codec: Codec;
  /** What the application sees of it. */
  readonly client: object;
  /** @throws WsError TOO_LARGE */
  checkSize(text: string): void;
  sendText(text: string): boolean;
  /** The first call was opened, or the last one has ended. */
  callsChanged(): void;
}

/** Called with what settles an open call's promise. */
type Settle = (settle: (resolve: (response: unknown) => void, reject: (reason: unknown) => void) => void) => void;

const MOST = 2 ** 31 - 1;
/** The most calls that may wait for one client's answers. */
const MAX_OPEN = 1_024;

/** The server's requests to one client that have no answer yet. */
export class ClientCalls {
  readonly #open = new Map<number, Settle>();
  #lastId = 0;

  constructor(
    private readonly owner: CallOwner,
    private readonly runtime: Runtime,
  ) {}

  /** Whether any answer is outstanding. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Sends a call and settles with the client's answer.
   *
   * @param defaultTimeout ms, when the options name no timeout
   */
  async call(message: unknown, options: WsCallOptions, defaultTimeout: number): Promise<unknown> {
    checkNames('call option', options, ['timeout', 'signal']);
    const { timeout = defaultTimeout, signal } = options;
    // Node's timers turn any other value into 1 ms.
    if (!(typeof timeout === 'number' && timeout >= 1 && timeout <= MOST)) {
      throw badMessage(`timeout is a time in milliseconds from 1 to ${MOST}`);
    }
    signal?.throwIfAborted();
    if (this.#open.size >= MAX_OPEN) {
      throw new WsError('RATE_LIMITED', `The client has ${MAX_OPEN} calls to answer already.`);
    }
    const callId = ++this.#lastId;
    const text = encodeCall(this.owner.codec, message, callId);
    this.owner.checkSize(text);
    if (!this.owner.sendText(text)) throw gone();
    OWN_SENDS.note(this.owner);
    return this.#wait(callId, timeout, signal);
  }

  /** Takes the client's answer; ignored when no call waits for it (any more). */
  answer(callId: number, response: unknown): void {
    this.#open.get(callId)?.((resolve) => resolve(response));
  }

  /** Takes the client's refusal. */
  refuse(callId: number, error: WsError): void {
    this.#open.get(callId)?.((_resolve, reject) => reject(error));
  }

  /** The client is gone: no answer will come. */
  end(): void {
    for (const settle of [...this.#open.values()]) settle((_resolve, reject) => reject(gone()));
  }

  #wait(callId: number, timeout: number, signal: AbortSignal | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle: Settle = (how) => {
        timer.cancel();
        signal?.removeEventListener('abort', abandon);
        this.#open.delete(callId);
        if (!this.isOpen) this.owner.callsChanged();
        how(resolve, reject);
      };
      const abandon = (): void => settle(() => reject(signal?.reason as Error));
      const late = (): WsError => new WsError('TIMEOUT', 'The client did not answer in time.');
      const timer = this.runtime.timeout(timeout, () => settle(() => reject(late())));
      signal?.addEventListener('abort', abandon);
      this.#open.set(callId, settle);
      if (this.#open.size === 1) this.owner.callsChanged();
    });
  }
}

function encodeCall(codec: Codec, message: unknown, callId: number): string {
  if (!isMessage(message)) {
    throw new WsError('BAD_MESSAGE', 'A call is a message { type, action, data? } or { event, data? }.');
  }
  try {
    return codec.encodeCall(message, callId);
  } catch (cause) {
    throw new WsError('BAD_MESSAGE', 'The message has no JSON form.', { cause });
  }
}

function isMessage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { type, action, event } = value as Record<string, unknown>;
  return (typeof type === 'string' && typeof action === 'string') || (type === undefined && typeof event === 'string');
}

function gone(): WsError {
  return new WsError('UNAVAILABLE', 'The client is not connected.');
}
