import { Audience } from './audience.js';
import { eventually } from '../../lib/testing/eventually.js';
import { LoadRecorder, type Arrival } from './load-recorder.js';
import type { SendResult } from './send-load.js';
import type { TestCluster } from './test-cluster.js';
import type { TestClient } from './test-client.js';
import type { WorkerProcess } from './worker-process.js';

const ROOM = 'load';

/** A client on each worker, all of one room, and a load of messages that the first worker sends there. */
export class DeliveryWatch {
  readonly #begin = Date.now();

  private constructor(
    private readonly cluster: TestCluster,
    readonly clients: readonly TestClient[],
    /** What each of the clients gets of the load. */
    readonly recorders: readonly LoadRecorder[],
  ) {}

  static async begin(cluster: TestCluster): Promise<DeliveryWatch> {
    const clients = await membersOf(cluster);
    const recorders = clients.map((client) => new LoadRecorder(client));
    return new DeliveryWatch(cluster, clients, recorders);
  }

  /** Resolves once every client has got a message of the load. */
  async start(perSecond: number): Promise<void> {
    const given = { roomName: ROOM, perSecond };
    await this.#sender.run(({ load }, { roomName, perSecond }) => load.start(roomName, perSecond), given);
    await this.deliveredAgain(5_000);
  }

  /** Resolves once the last message has arrived everywhere, with what became of each. */
  async stop(): Promise<SendResult[]> {
    const results = await this.#sender.run(({ load }) => load.stop());
    await eventually('the last message arrives', () =>
      this.recorders.every(({ numbers }) => numbers.at(-1) === results.length - 1),
    );
    return results;
  }

  /** Resolves once every client gets what is being sent now. */
  async deliveredAgain(patience: number): Promise<void> {
    const begin = Date.now();
    const isDelivered = (): boolean => this.recorders.every(({ arrivals }) => (arrivals.at(-1)?.sentAt ?? 0) > begin);
    await eventually('every client gets what is sent', isDelivered, patience);
  }

  /**
   * What clients of the other workers got from `healedAt` on, although the sender had been told before that it is not sent.
   *
   * @param rejected what Redis cannot have had already
   */
  lateArrivals(rejected: readonly SendResult[], healedAt: number): Arrival[] {
    const givenUpAfter = new Map(rejected.map(({ number, ms }) => [number, ms]));
    return this.recorders
      .slice(1)
      .flatMap(({ arrivals }) => arrivals)
      .filter(({ number, sentAt, at }) => at >= healedAt && sentAt + (givenUpAfter.get(number) ?? Infinity) < healedAt);
  }

  /** Fails unless clients can join on every worker, and get what each worker sends to the room, once. */
  async expectFullDelivery(): Promise<void> {
    const named = new Map((await membersOf(this.cluster)).map((client, at) => [`a client of worker ${at}`, client]));
    const audience = new Audience(named);
    for (const [at, worker] of this.cluster.workers.entries()) {
      const message = { type: 'news', action: 'flash', data: at };
      const given = { roomName: ROOM, message };
      await worker.run(({ service }, { roomName, message }) => service.sendToRooms([roomName], message), given);
      await audience.expectReached(worker, [...named.keys()], message);
    }
    await audience.close();
  }

  /** The most lines that any worker has logged within a second. */
  get busiestSecond(): number {
    const times = this.cluster.workers.map(({ log }) => log.map(({ at }) => at).filter((at) => at >= this.#begin));
    return Math.max(0, ...times.flatMap((all) => all.map((at) => all.filter((t) => t >= at && t < at + 1_000).length)));
  }

  /** Ends the load, where a test has failed before it did, and the clients. */
  async close(): Promise<void> {
    await this.#sender.run(({ load }) => load.stop());
    await Promise.all(this.clients.map((client) => client.close()));
  }

  get #sender(): WorkerProcess {
    return this.cluster.workers[0]!;
  }
}

/** A client on each worker that has joined the room. */
function membersOf({ workers }: TestCluster): Promise<TestClient[]> {
  return Promise.all(
    workers.map(async (worker) => {
      const client = await worker.client();
      const join = { clientIds: [client.clientId], rooms: [ROOM] };
      await worker.run(({ service }, move) => service.joinRooms(move), join);
      return client;
    }),
  );
}
