import { WebSocketClient, WebSocketClientError } from 'nestjs-pxl-websocket/client';
import { WebSocket } from 'ws';
import { pause } from './checks.js';
import { within } from './within.js';

interface Close {
  readonly clientId: string;
  readonly code: number;
  readonly reason: string;
  /** By `performance.now()`. */
  readonly at: number;
}

/** Milliseconds between an answer and the next question. */
const PAUSE = 5;

/** A client of the library that asks one thing after the other, and comes back by itself. */
export class Talker {
  /** The longest wait for an answer on an open connection, ms. */
  slowest = 0;
  answers = 0;
  /** How often it was told to ask the same again later. */
  again = 0;
  /** The codes of requests that got no answer. */
  readonly unanswered: string[] = [];
  readonly closes: Close[] = [];
  /** By `performance.now()`: when it was back after each close. */
  readonly returns: number[] = [];
  readonly client: WebSocketClient;
  #talking: Promise<void> | null = null;
  #isOver = false;

  constructor(url: string) {
    this.client = new WebSocketClient({
      url,
      webSocket: WebSocket,
      reconnect: { minDelay: 100, maxDelay: 1_000 },
      events: {
        onDisconnected: (close) => this.closes.push({ ...close, at: performance.now() }),
        onReconnected: () => this.returns.push(performance.now()),
        onError: () => undefined,
      },
    });
  }

  /** @param prepare what each does before it begins to talk */
  static async crowd(url: string, size: number, prepare?: (talker: Talker) => Promise<void>): Promise<Talker[]> {
    const talkers = Array.from({ length: size }, () => new Talker(url));
    await Promise.all(
      talkers.map(async (talker) => {
        await talker.client.connect();
        await prepare?.(talker);
        talker.#talking = talker.#talk();
      }),
    );
    return talkers;
  }

  /** Milliseconds from each close to the connection after it. */
  get waits(): number[] {
    return this.closes.map(({ at }, nth) => (this.returns[nth] ?? Infinity) - at);
  }

  /** Resolves once it has been answered on its present connection. */
  async untilAnswered(patience: number): Promise<void> {
    const { answers } = this;
    await within(patience, 'a client is answered again', () => this.answers > answers);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.client.disconnect();
    await this.#talking;
  }

  async #talk(): Promise<void> {
    for (let question = 0; !this.#isOver; question++) {
      const begin = performance.now();
      const { clientId } = this.client;
      try {
        const answer = await this.client.request('guest', 'echo', question);
        if (answer !== question) throw new Error(`It asked ${question}, and was answered ${String(answer)}.`);
        this.answers++;
        if (this.client.clientId === clientId) this.slowest = Math.max(this.slowest, performance.now() - begin);
      } catch (error) {
        this.#note(error instanceof WebSocketClientError ? error.code : String(error));
      }
      await pause(PAUSE);
    }
  }

  #note(code: string): void {
    if (code === 'UNAVAILABLE') this.again++;
    else if (!this.#isOver) this.unanswered.push(code);
  }
}
