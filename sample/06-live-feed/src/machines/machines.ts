import { setTimeout } from 'node:timers/promises';
import { Feed } from '../feed.js';
import { HISTORY } from '../room.js';
import { TIMES } from '../times.js';
import { Entrance } from './entrance.js';
import { RedisProcess } from './redis-process.js';
import { WorkerProcess } from './worker-process.js';

/** Everything between the feed and the page. */
export class Machines {
  readonly entrance: Entrance;

  private constructor(
    private readonly redis: RedisProcess,
    private readonly workers: readonly WorkerProcess[],
    private readonly feed: Feed,
  ) {
    this.entrance = new Entrance(workers);
  }

  static async start(): Promise<Machines> {
    const redis = await RedisProcess.start();
    const workers = await Promise.all(['A', 'B'].map((name) => WorkerProcess.start(name, redis.port)));
    const feed = new Feed(`redis://127.0.0.1:${redis.port}`);
    void feed.publish();
    return new Machines(redis, workers, feed);
  }

  /** @returns false when there is nothing of this name */
  break(what: string, visitor: string): boolean {
    const worker = this.entrance.visitor(visitor).worker;
    const ways: Record<string, () => unknown> = {
      network: () => this.entrance.cut(visitor, setTimeout(TIMES.cut)),
      'network-long': () => this.entrance.cut(visitor, this.#isForgotten()),
      worker: () => worker?.kill(),
      link: () => worker?.link.cut(),
      'redis-freeze': () => this.redis.freeze(),
      'redis-restart': () => this.redis.restart(true),
      'redis-forget': () => this.redis.restart(false),
    };
    void ways[what]?.();
    return what in ways;
  }

  stateFor(id: string): object {
    const { worker, isCut } = this.entrance.visitor(id);
    const workers = this.workers.map(({ name, state, link }) => {
      return { name, state, isLinkCut: link.isCut, isMine: name === worker?.name };
    });
    const { run, last, isRefused } = this.feed;
    return { now: Date.now(), feed: { run, last, isRefused }, redis: this.redis.state, workers, isCut, times: TIMES };
  }

  /** Resolves when nobody keeps any more what comes next: a worker has somewhat more of a room than Redis. */
  async #isForgotten(): Promise<void> {
    const next = this.feed.last + 1;
    await setTimeout(TIMES.longCut);
    while (this.feed.last < next + 2 * HISTORY.size) await setTimeout(TIMES.message);
  }

  async stop(): Promise<void> {
    for (const worker of this.workers) worker.stop();
    await this.feed.stop();
    await this.redis.stop();
  }
}
