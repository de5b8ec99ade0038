import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Dialect } from './dialect.js';
import type { MalformedCase } from './malformed-input.js';

type Frame = Readonly<Record<string, unknown>>;

const PATIENCE = 10_000;

/** A connection that sends {@link MalformedCase}s and counts what comes back: one answer for each frame. */
export class AnswerCounter {
  #outstanding = 0;
  readonly #ids = new Map<string, MalformedCase>();
  #done: (() => void) | null = null;

  private constructor(
    private readonly socket: WebSocket,
    private readonly dialect: Dialect,
  ) {
    socket.on('message', (data: Buffer) => this.#received(JSON.parse(data.toString()) as Frame));
  }

  static async open(url: string, dialect: Dialect): Promise<AnswerCounter> {
    const counter = new AnswerCounter(new WebSocket(url), dialect);
    await once(counter.socket, 'open');
    return counter;
  }

  /** Sends them all at once; resolves when every frame has its answer, and every id of a case came back in one. */
  async send(cases: readonly MalformedCase[]): Promise<void> {
    const answered = new Promise<void>((resolve) => (this.#done = resolve));
    for (const sent of cases) {
      this.#outstanding += sent.frames.length;
      if (sent.id !== undefined) this.#ids.set(sent.id, sent);
      for (const { data, binary } of sent.frames) this.socket.send(data, { binary });
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#complaint('did not come')), PATIENCE);
      this.socket.once('close', (code: number) => reject(this.#complaint(`cannot come: closed with ${code}`)));
    });
    await Promise.race([answered, late]).finally(() => clearTimeout(timer));
    if (this.#outstanding < 0 || this.#ids.size > 0) throw this.#complaint('are wrong');
    this.socket.removeAllListeners('close');
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }

  #received(frame: Frame): void {
    if (!this.dialect.isAnswer(frame)) return; // a push
    this.#outstanding--;
    if (typeof frame.id === 'string') this.#ids.delete(frame.id);
    if (this.#outstanding === 0) this.#done?.();
  }

  #complaint(what: string): Error {
    const [unanswered] = this.#ids.values();
    const frame = unanswered?.frames[0]?.data.slice(0, 500) ?? 'one without an id';
    return new Error(`${this.#outstanding} answers ${what}; among them: ${frame}`);
  }
}
