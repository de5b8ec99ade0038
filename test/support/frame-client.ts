import { once } from 'node:events';
import { WebSocket } from 'ws';

/**
 * How a client loses its connection. `reset`: both sides know. `silence`: the server does not: nothing is read any more. `away`: as
 * a page does that is reloaded, with 1001.
 */
export type Cut = 'reset' | 'silence' | 'away';

/** The codec that a client speaks. */
export type Speech = 'pxl.v1' | 'event.v1';

/** The fields of a frame, in either codec. */
export interface Frame {
  readonly type?: string;
  readonly action?: string;
  readonly event?: string;
  readonly id?: string;
  readonly data?: unknown;
  readonly response?: unknown;
  readonly room?: string;
  readonly offset?: number;
}

/** Requests that are events of their own in `event.v1`. */
const OWN_EVENTS = new Set(['join', 'leave']);

/** A client on bare frames, in either codec, which can lose its connection in several ways. What it asks may go unanswered. */
export abstract class FrameClient {
  /** Called when the connection has ended. */
  onGone: () => void = () => {};
  /** Each connection that ended by itself, with its code. */
  readonly closes: number[] = [];
  clientId = '';
  /** Where it is connected, or was. */
  url = '';
  readonly #abandoned: WebSocket[] = [];
  readonly #answers = new Map<string, (frame: Frame | null) => void>();
  readonly #asked = new Map<string, string>();
  #socket: WebSocket | null = null;
  #lastId = 0;
  #isWelcome = false;
  #isClosing = false;
  #endWait: () => void = () => {};

  constructor(protected readonly speech: Speech) {}

  /** Whether it has no connection, and is making none. */
  get isAway(): boolean {
    return this.#socket === null;
  }

  get isWelcome(): boolean {
    return this.#isWelcome;
  }

  /** The requests that have no answer. */
  get pending(): string[] {
    return [...this.#asked.values()];
  }

  /** The present connection, to see whether it still is the same one. */
  protected get connection(): unknown {
    return this.#socket;
  }

  protected get isPxl(): boolean {
    return this.speech === 'pxl.v1';
  }

  /** Resolves once it is welcome: true; or has lost the connection before. */
  protected async open(url: string, query: Readonly<Record<string, string>>): Promise<boolean> {
    const target = new URL(url);
    for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
    const socket = new WebSocket(target, [this.speech], { handshakeTimeout: 4_000 });
    this.#socket = socket;
    this.url = url;
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      this.#endWait = resolve;
      socket.on('message', (data: Buffer) => {
        if (this.#socket === socket) this.#take(JSON.parse(data.toString()) as Frame, data.length, resolve);
      });
      socket.on('close', (code) => {
        if (this.#socket === socket) this.#gone(code);
        resolve();
      });
    });
    return this.#socket === socket;
  }

  /** Loses its connection; what it had not read yet is lost with it. */
  cut(how: Cut): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#gone(1006);
    if (how === 'reset') {
      socket.terminate();
      return;
    }
    if (how === 'away') {
      socket.resume();
      socket.close(1001);
      return;
    }
    socket.pause();
    this.#abandoned.push(socket);
  }

  /** Ends its connection by itself, for good; what still comes is not read. */
  hangUp(): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#gone(1000);
    // Who reads nothing does not hear that the server closes, too.
    socket.resume();
    socket.close(1000);
  }

  /** Reads nothing for a while. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Ends the connections that it had left in silence. @returns whether there were any */
  forget(): boolean {
    const abandoned = this.#abandoned.splice(0);
    for (const socket of abandoned) socket.terminate();
    return abandoned.length > 0;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.forget();
    const socket = this.#socket;
    this.#socket = null;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const closed = once(socket, 'close');
    socket.terminate();
    await closed;
  }

  /** @param answered called when the answer comes, before any frame behind it. @returns null when the connection has gone */
  protected ask(action: string, data: unknown, answered: (frame: Frame) => void = () => {}): Promise<Frame | null> {
    const id = `s${++this.#lastId}`;
    const event = OWN_EVENTS.has(action) ? action : `system:${action}`;
    return new Promise((resolve) => {
      if (!this.#socket) {
        resolve(null);
        return;
      }
      this.#asked.set(id, `${action} ${JSON.stringify(data)}`);
      this.#answers.set(id, (frame) => {
        this.#asked.delete(id);
        if (frame) answered(frame);
        resolve(frame);
      });
      this.#socket.send(JSON.stringify(this.isPxl ? { type: 'system', action, data, id } : { event, data, id }));
    });
  }

  /** The server welcomes it, with these fields. */
  protected abstract welcomed(data: Readonly<Record<string, unknown>>): void;

  /** A frame that answers nothing. */
  protected abstract pushed(frame: Frame, bytes: number): void;

  /** The connection has ended; each request is told after this. */
  protected abstract gone(): void;

  #take(frame: Frame, bytes: number, welcomed: () => void): void {
    if (frame.id !== undefined) {
      const answer = this.#answers.get(frame.id);
      this.#answers.delete(frame.id);
      answer?.(frame);
    } else if (namesOf(frame).action === 'connected') {
      const data = frame.data as { clientId?: string; id?: string };
      this.clientId = data.clientId ?? data.id ?? '';
      this.#isWelcome = true;
      this.welcomed(data);
      welcomed();
    } else {
      this.pushed(frame, bytes);
    }
  }

  #gone(code: number): void {
    this.#socket = null;
    this.#isWelcome = false;
    if (!this.#isClosing) this.closes.push(code);
    this.gone();
    for (const answer of [...this.#answers.values()]) answer(null);
    this.#answers.clear();
    this.#endWait();
    this.onGone();
  }
}

/** The type and the action of a frame of either codec; of an event without a colon, it is the action. */
export function namesOf({ type, action, event }: Frame): { type: string; action: string } {
  if (event === undefined) return { type: type ?? '', action: action ?? '' };
  const [first, second] = event.split(':');
  return second === undefined ? { type: '', action: first! } : { type: first!, action: second };
}

/** Why a request was refused, in a frame that answers it: the whole, or the first room of a list. */
export function codeOf({ type, event, data, response }: Frame): string | undefined {
  if (type === 'error' || event === 'error') return (data as { code: string }).code;
  const { refused = [] } = (response ?? data ?? {}) as { refused?: { code: string }[] };
  return refused[0]?.code;
}

/** What an answer says: of a join, what it says of the room. */
export function answerOf({ response, data }: Frame): unknown {
  const answer = (response ?? data) as { data?: unknown; joined?: unknown[] };
  return answer.joined?.[0] ?? answer.data ?? answer;
}
