import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { reactionTo } from '../../../protocol/close-codes.js';
import { SYSTEM_TYPE } from '../../../protocol/route-key.js';
import type { Dialer } from './dialer.js';
import type { Frames, ServerFrame } from './frames.js';

/** How an attempt or a connection ended. */
export interface Ending {
  /** For a table: `HTTP 503`, `ECONNREFUSED`, `closed with 4003`, `join: FORBIDDEN`, `no welcome in time`. */
  readonly code: string;
  /** What else was said, for a person; may be empty. */
  readonly words: string;
  /** Whether another attempt may end otherwise. */
  readonly mayRetry: boolean;
  /** The wait that the server has asked for, ms. */
  readonly after: number;
}

export interface ConnectionEvents {
  /** The server has welcomed the client; `data` is what it said. */
  welcomed(data: unknown): void;
  /** All joins are answered. */
  entered(): void;
  /** What comes then. */
  received(text: string): void;
  /** The last event. */
  ended(ending: Ending): void;
}

/** Who connects, and how. */
export interface ConnectionTerms {
  readonly client: number;
  readonly dialer: Dialer;
  readonly frames: Frames;
  /** The frames by which it enters its rooms, each with an id that begins with {@link JOIN_ID}. */
  readonly joins: readonly string[];
  /** The time until it has to be in its rooms, ms. */
  readonly timeout: number;
  readonly isTokenSent: boolean;
}

/** How the ids of joins begin; those of messages are stamps. */
export const JOIN_ID = 'join-';
/** Answers of HTTP that another attempt may change. */
const PASSING_STATUS: readonly number[] = [408, 429, 500, 502, 503, 504];
/** What becomes of an error of the network with another attempt: another address, a certificate, or a name will not help. */
const LASTING_ERRORS: readonly string[] = ['CERT', 'ENOTFOUND', 'EACCES', 'SELF_SIGNED', 'ERR_TLS'];
/** The least wait after the close code of who has done too much, ms. */
const LATER = 10_000;
/** The longest wait that a server can ask for, ms. */
const LONGEST_WAIT = 300_000;

/** One connection: the upgrade, the welcome, the joins, messages, its end. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #timer: NodeJS.Timeout;
  #joinsLeft: number;
  #isWelcomed = false;
  #isOver = false;

  constructor(
    private readonly terms: ConnectionTerms,
    private readonly events: ConnectionEvents,
  ) {
    const { client, dialer, joins, timeout } = terms;
    this.#joinsLeft = joins.length;
    this.#timer = setTimeout(() => this.#late(), timeout);
    this.#socket = dialer.dial(client);
    this.#socket
      .on('open', () => this.#opened())
      .on('message', (data) => this.#received(data instanceof Buffer ? data.toString() : ''))
      .on('unexpected-response', (_request, answer) => this.#end(refusalOf(answer)))
      .on('error', (error) => this.#end(failureOf(error)))
      .on('close', (code, reason) => this.#end(closeOf(code, reason.toString())));
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Ends it with 1000. */
  close(): void {
    this.#socket.close(1000);
  }

  #opened(): void {
    const { client, dialer, frames, isTokenSent } = this.terms;
    const token = isTokenSent ? dialer.tokenOf(client) : undefined;
    if (token !== undefined) this.send(frames.message({ type: SYSTEM_TYPE, action: 'authenticate' }, { token }));
  }

  #received(text: string): void {
    if (this.#isWelcomed && this.#joinsLeft === 0) {
      this.events.received(text);
      return;
    }
    const frame = this.terms.frames.read(text);
    if (!frame) return;
    if (!this.#isWelcomed) this.#introduced(frame);
    else if (typeof frame.id === 'string' && frame.id.startsWith(JOIN_ID)) this.#joined(frame);
  }

  #introduced({ type, action, data, error }: ServerFrame): void {
    if (error !== undefined)
      this.#end({ code: `refused: ${error}`, words: sentenceOf(data), mayRetry: false, after: 0 });
    if (this.#isOver || type !== SYSTEM_TYPE || action !== 'connected') return;
    this.#isWelcomed = true;
    this.events.welcomed(data);
    for (const join of this.terms.joins) this.send(join);
    if (this.#joinsLeft === 0) this.#enter();
  }

  #joined({ error, data }: ServerFrame): void {
    if (error === undefined) {
      if (--this.#joinsLeft === 0) this.#enter();
      return;
    }
    const mayRetry = typeof data === 'object' && data !== null && 'retryable' in data && data.retryable === true;
    this.#end({ code: `join: ${error}`, words: sentenceOf(data), mayRetry, after: 0 });
  }

  #enter(): void {
    clearTimeout(this.#timer);
    this.events.entered();
  }

  #late(): void {
    const missing = this.#isWelcomed ? 'no answer to a join' : 'no welcome';
    this.#end({ code: `${missing} in time`, words: `within ${this.terms.timeout} ms`, mayRetry: true, after: 0 });
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket.terminate();
    this.events.ended(ending);
  }
}

function refusalOf(answer: IncomingMessage): Ending {
  const { statusCode = 0, statusMessage = '', headers } = answer;
  const seconds = Number(headers['retry-after']);
  return {
    code: `HTTP ${statusCode}`,
    words: statusMessage,
    mayRetry: PASSING_STATUS.includes(statusCode),
    after: seconds > 0 ? Math.min(LONGEST_WAIT, seconds * 1_000) : 0,
  };
}

function failureOf(error: Error): Ending {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  const mayRetry = !LASTING_ERRORS.some((lasting) => code.includes(lasting));
  return { code, words: error.message === code ? '' : error.message, mayRetry, after: 0 };
}

function closeOf(code: number, reason: string): Ending {
  const reaction = reactionTo(code);
  // A refused token would be refused again: there is no other one.
  const mayRetry = reaction !== 'stop' && reaction !== 'replaceToken';
  const after = Math.max(waitOf(reason), reaction === 'retryLater' ? LATER : 0);
  return { code: `closed with ${code}`, words: reason, mayRetry, after };
}

/** What a server that stops asks for: `{"after":ms}`. */
function waitOf(reason: string): number {
  const [, after = '0'] = /"after":(\d+)/.exec(reason) ?? [];
  return Math.min(LONGEST_WAIT, Number(after));
}

/** The sentence of a refusal, in either envelope. */
function sentenceOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  const sentence = 'error' in data ? data.error : 'message' in data ? data.message : undefined;
  return typeof sentence === 'string' ? sentence : '';
}
