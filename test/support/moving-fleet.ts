import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import type { TestClient } from './test-client.js';
import { WorkerProcess, type WorkerFailure } from './worker-process.js';

/** Milliseconds between two messages of each worker. */
const PAUSE = 4;
/** Milliseconds between two joins of a room that nobody is in. */
const JOIN_PAUSE = 20;
/** So many that they have about as many sharded channels. */
const ROOMS = 120;

/** What a fleet of workers has met with. */
export interface FleetReport {
  /** Sends that were resolved. */
  readonly sent: number;
  /** Sends that were rejected, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Copies of resolved sends that a member of the room has not got. */
  readonly lost: number;
  /** Copies that a member has got a second time. */
  readonly twice: number;
  readonly joins: number;
  /** Joins that were refused, by code. */
  readonly refusedJoins: Readonly<Record<string, number>>;
  /** The milliseconds that each worker was not ready. */
  readonly unready: readonly number[];
}

interface Sender {
  readonly worker: WorkerProcess;
  readonly resolved: Set<number>;
  next: number;
}

/**
 * Workers whose members of many rooms send each other numbered messages at a steady rate, while other clients join rooms
 * and leave them: what is lost, refused and out of service meanwhile is counted.
 */
export class MovingFleet {
  readonly #senders: Sender[];
  /** What each member got: how many times, by sender and number. */
  readonly #got: Map<string, number>[] = [];
  readonly #refused: Record<string, number> = {};
  readonly #refusedJoins: Record<string, number> = {};
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #joins = 0;
  #members: TestClient[] = [];

  private constructor(readonly workers: readonly WorkerProcess[]) {
    this.#senders = workers.map((worker) => ({ worker, resolved: new Set(), next: 0 }));
  }

  static async start(count: number, options: PxlWebSocketModuleOptions): Promise<MovingFleet> {
    const fleet = new MovingFleet(Array.from({ length: count }, () => new WorkerProcess(options)));
    await Promise.all(fleet.workers.map(({ started }) => started));
    await fleet.converged();
    return fleet;
  }

  /** Resolves once all workers are ready and know each other. */
  async converged(): Promise<void> {
    await eventually(
      'every worker knows the others',
      async () => {
        const asked = this.workers.map((worker) => worker.run(({ service }) => service.getWebSocketHealth()));
        return (await Promise.all(asked)).every((health) => health.ready && health.cluster.workers === asked.length);
      },
      20_000,
    );
  }

  /** Begins with the load; resolves once it arrives everywhere. */
  async begin(): Promise<void> {
    const rooms = Array.from({ length: ROOMS }, (_, at) => `room ${at}`);
    this.#members = await Promise.all(this.workers.map((worker) => worker.client()));
    for (const [at, member] of this.#members.entries()) {
      const got = new Map<string, number>();
      this.#got.push(got);
      member.socket.on('message', (text: Buffer) => {
        const { type, data } = JSON.parse(text.toString()) as { type: string; data: string };
        if (type === 'load') got.set(data, (got.get(data) ?? 0) + 1);
      });
      const move = { clientIds: [member.clientId], rooms };
      await this.workers[at]!.run(({ service }, given) => service.joinRooms(given), move);
    }
    const joiners = await Promise.all(this.workers.map((worker) => worker.client()));
    await Promise.all(this.workers.map((worker) => worker.run(watchReadiness)));
    for (const [at, sender] of this.#senders.entries()) {
      this.#timers.push(setInterval(() => this.#track(this.#send(at, sender)), PAUSE * this.workers.length));
      const join = (): void => this.#track(this.#join(sender.worker, joiners[at]!.clientId));
      this.#timers.push(setInterval(join, JOIN_PAUSE * this.workers.length));
    }
    await this.arrives();
  }

  /** Resolves once everybody gets what everybody sends from now on. */
  async arrives(patience = 10_000): Promise<void> {
    const since = this.#senders.map(({ next }) => next);
    await eventually(
      'all messages arrive',
      () => this.#got.every((got) => this.#senders.every((sender, at) => hasSince(got, sender, at, since[at]!))),
      patience,
    );
  }

  /** Ends the load; resolves with what has become of it. */
  async end(): Promise<FleetReport> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#underWay);
    // What is on its way arrives before the answer to a round trip of each worker.
    await this.arrivesAfterAll();
    const unready = await Promise.all(this.workers.map((worker) => worker.run(readUnready)));
    const copies = this.#senders.flatMap((sender, at) => [...sender.resolved].map((number) => `${at} ${number}`));
    const counts = this.#got.flatMap((got) => copies.map((copy) => got.get(copy) ?? 0));
    return {
      sent: copies.length,
      refused: this.#refused,
      lost: counts.filter((count) => count === 0).length,
      twice: counts.filter((count) => count > 1).length,
      joins: this.#joins,
      refusedJoins: this.#refusedJoins,
      unready,
    };
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.workers.map((worker) => worker.close()));
  }

  private async arrivesAfterAll(): Promise<void> {
    const deadline = performance.now() + 1_500;
    const isWhole = (): boolean =>
      this.#got.every((got) =>
        this.#senders.every(({ resolved }, at) => [...resolved].every((n) => got.has(`${at} ${n}`))),
      );
    while (!isWhole() && performance.now() < deadline) {
      await Promise.all(this.workers.map((worker) => worker.run(() => undefined)));
    }
  }

  #track(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }

  async #send(at: number, sender: Sender): Promise<void> {
    const number = sender.next++;
    const given = { room: `room ${number % ROOMS}`, data: `${at} ${number}` };
    try {
      await sender.worker.run(({ service }, { room, data }) => {
        return service.sendToRooms([room], { type: 'load', action: 'send', data });
      }, given);
      sender.resolved.add(number);
    } catch (error) {
      count(this.#refused, error);
    }
  }

  async #join(worker: WorkerProcess, clientId: string): Promise<void> {
    const move = { clientIds: [clientId], rooms: [`new ${this.#joins++}`] };
    try {
      await worker.run(({ service }, given) => service.joinRooms(given), move);
    } catch (error) {
      count(this.#refusedJoins, error);
    }
    await worker.run(({ service }, given) => service.leaveRooms(given), move).catch(() => undefined);
  }
}

function hasSince(got: ReadonlyMap<string, number>, { next, resolved }: Sender, at: number, since: number): boolean {
  for (let number = since; number < next; number++) {
    if (resolved.has(number) && got.has(`${at} ${number}`)) return true;
  }
  return false;
}

function count(counts: Record<string, number>, error: unknown): void {
  const { code = 'none' } = error as WorkerFailure;
  counts[code] = (counts[code] ?? 0) + 1;
}

/** Runs in a worker: adds up the time in which it is not ready. */
function watchReadiness({ service }: { service: { getWebSocketHealth(): { ready: boolean } } }): void {
  const watch = globalThis as { unready?: number };
  watch.unready = 0;
  let before = performance.now();
  setInterval(() => {
    const now = performance.now();
    if (!service.getWebSocketHealth().ready) watch.unready! += now - before;
    before = now;
  }, 5).unref();
}

function readUnready(): number {
  return Math.round((globalThis as { unready?: number }).unready ?? 0);
}
