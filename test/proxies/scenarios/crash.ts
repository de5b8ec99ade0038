import { upgradeStatus } from '../../support/upgrade-answer.js';
import type { Application } from '../application.js';
import { isEqual, seconds, tally } from '../checks.js';
import type { Proxy } from '../proxy.js';
import { Talker } from '../talker.js';
import { within } from '../within.js';

const TALKERS = 5;
/** Milliseconds within which a client is back, once its worker is. */
const PATIENCE = 10_000;

/** The only worker is killed, and started again a moment later. */
export class Crash {
  readonly #crowds = new Map<Proxy, Talker[]>();
  #killedAt = 0;
  #startedAt = 0;

  constructor(private readonly application: Application) {}

  async gather(proxy: Proxy): Promise<void> {
    this.#crowds.set(proxy, await Talker.crowd(proxy.url, TALKERS));
  }

  async kill(): Promise<void> {
    this.#killedAt = performance.now();
    await this.application.kill();
  }

  /** While there is no worker: clients know of it at once, and who dials is refused at once. */
  async meanwhile(proxy: Proxy): Promise<string> {
    const talkers = this.#crowds.get(proxy)!;
    const closes = await within(5_000, 'all clients are told', () => {
      const all = talkers.flatMap((talker) => talker.closes);
      return all.length === TALKERS && all;
    });
    isEqual('Closes', tally(closes.map(({ code }) => code)), `${TALKERS} × 1006`);
    const late = Math.max(...closes.map(({ at }) => at)) - this.#killedAt;
    if (late > 1_000) throw new Error(`They were told after ${Math.round(late)} ms.`);
    const status = await upgradeStatus(proxy.port).catch(() => 'no answer');
    if (![502, 503, 504, 'no answer'].includes(status)) throw new Error(`The answer meanwhile is ${status}.`);
    return `1006 at once; ${status} meanwhile`;
  }

  started(): void {
    this.#startedAt = performance.now();
  }

  async after(proxy: Proxy): Promise<string> {
    const talkers = this.#crowds.get(proxy)!;
    await Promise.all(talkers.map((talker) => talker.untilAnswered(PATIENCE)));
    const last = performance.now() - this.#startedAt;
    await Promise.all(talkers.map((talker) => talker.stop()));
    return `back in ${seconds(last)}`;
  }
}
