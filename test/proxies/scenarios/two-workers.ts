import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import type { Application } from '../application.js';
import { isEqual, pause, seconds, tally } from '../checks.js';
import { HISTORY } from '../protocol.js';
import type { Proxy } from '../proxy.js';
import { Talker } from '../talker.js';
import { within } from '../within.js';

const TALKERS = 5;
/** Milliseconds between two messages for the room. */
const PACE = 50;
/** Milliseconds in which each proxy has noticed what became of a worker: twice the documented interval of its checks. */
const NOTICED = 2_000;

/** Two workers with Redis, of which one goes, while a room with history gets messages: every client hears each of them, once. */
export class TwoWorkers {
  readonly #heard = new Map<Proxy, Map<Talker, number[]>>();
  readonly #emitter: WebSocketEmitter;
  #sent = 0;
  #isOver = false;

  /** @param room of this time alone */
  constructor(
    private readonly workers: readonly [Application, Application],
    private readonly redis: string,
    private readonly room: string,
  ) {
    this.#emitter = new WebSocketEmitter({ redis, rooms: { history: HISTORY } });
  }

  async gather(proxy: Proxy): Promise<void> {
    const heard = new Map<Talker, number[]>();
    await Talker.crowd(proxy.url, TALKERS, async (talker) => {
      const numbers: number[] = [];
      heard.set(talker, numbers);
      talker.client.on('news', 'number', (number) => numbers.push(number as number));
      await talker.client.join(this.room);
    });
    this.#heard.set(proxy, heard);
  }

  /** As a deploy does it: no worker is stopped before the other is ready. */
  async restartBoth(): Promise<void> {
    await this.#whileSpeaking(async () => {
      for (const worker of this.workers) {
        await worker.stop();
        await worker.start({ trustProxy: 1, redis: this.redis });
        await pause(NOTICED);
      }
    });
  }

  async killOne(): Promise<void> {
    await this.#whileSpeaking(async () => {
      await this.workers[0].kill();
      await pause(NOTICED);
    });
  }

  /** @param code of every close. @returns in which time all were back */
  async after(proxy: Proxy, code: number): Promise<string> {
    const heard = [...this.#heard.get(proxy)!];
    const talkers = heard.map(([talker]) => talker);
    await within(10_000, 'all have heard the last message', () =>
      heard.every(([, numbers]) => numbers.at(-1) === this.#sent),
    );
    await Promise.all(talkers.map((talker) => talker.untilAnswered(1_000)));
    const closes = talkers.flatMap((talker) => talker.closes);
    const others = closes.filter((close) => close.code !== code);
    isEqual(`Closes other than ${code}`, tally(others.map((close) => close.code)), '');
    if (closes.length === 0) throw new Error('Nobody was closed.');
    const waits = talkers.flatMap((talker) => talker.waits);
    await Promise.all(talkers.map((talker) => talker.stop()));
    const all = Array.from({ length: this.#sent }, (_, at) => at + 1);
    for (const [, numbers] of heard) isEqual('The numbers', numbers, all);
    const unanswered = talkers.flatMap((talker) => talker.unanswered);
    // What is under way to a worker that is killed has no answer.
    if (code === 1012) isEqual('Unanswered', unanswered, []);
    else if (unanswered.length > closes.length) throw new Error(`Unanswered: ${tally(unanswered)}`);
    return `${code}, back in ${seconds(Math.max(...waits))}, nothing lost`;
  }

  async end(): Promise<void> {
    await this.#emitter.shutdown();
  }

  async #whileSpeaking(work: () => Promise<void>): Promise<void> {
    const speaking = this.#speak();
    try {
      await pause(NOTICED);
      await work();
    } finally {
      this.#isOver = true;
      await speaking;
    }
  }

  async #speak(): Promise<void> {
    while (!this.#isOver) {
      await this.#emitter.toRoom({ room: this.room, type: 'news', action: 'number', data: ++this.#sent });
      await pause(PACE);
    }
  }
}
