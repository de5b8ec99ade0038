import { eventually } from '../../../lib/testing/eventually.js';
import type { WorkerFailure, WorkerProcess } from '../worker-process.js';
import { faultsOf } from './record-check.js';
import { believeMembers, RoomWitness, type RoomTruth } from './room-witness.js';
import { StoryClient } from './story-client.js';

/** Milliseconds between two attempts of a client that has no connection. */
const RETURN = 50;
/** Milliseconds until everybody has everything, once nothing fails any more. */
const PATIENCE = 20_000;

/** What has become of a room. */
export interface RoomReport {
  /** Holes, duplicates, what was sent and is not there, what was refused and is there. */
  readonly faults: string[];
  /** How often members were told that something is lost, by reason; the answers to joins among them. */
  readonly told: Readonly<Record<string, number>>;
  readonly sent: number;
  readonly refused: number;
}

/** Members of one room on several workers, who come back whenever they lose their worker, and a load of messages for them. */
export class RoomWatch {
  readonly clients: StoryClient[] = [];
  readonly witness = new RoomWitness();
  readonly #sent = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #next = 0;
  #isOver = false;

  private constructor(
    readonly roomName: string,
    private readonly size: number,
    /** The workers that live. */
    private readonly workers: () => readonly WorkerProcess[],
  ) {}

  /**
   * @param port the Redis that the witness hears
   * @param members how many on each worker
   */
  static async begin(
    { roomName, size, port, members = 3 }: { roomName: string; size: number; port: number; members?: number },
    workers: () => readonly WorkerProcess[],
  ): Promise<RoomWatch> {
    const watch = new RoomWatch(roomName, size, workers);
    await watch.witness.listen(port);
    for (const [at, worker] of workers().entries()) {
      for (let member = 0; member < members; member++) {
        const client = new StoryClient(`${roomName} ${at} ${member}`, member % 3 === 2 ? 'event.v1' : 'pxl.v1');
        watch.clients.push(client);
        client.onGone = () => watch.#bringBack(client);
        await client.join(roomName);
        await client.connect(worker.url());
      }
    }
    return watch;
  }

  get truth(): RoomTruth {
    return this.witness.truthOf(this.roomName);
  }

  /** Sends from all workers in turn, at a steady pace. @param pause ms between two messages */
  talk(pause: number): void {
    this.#timer = setInterval(() => this.say(this.#next % this.workers().length), pause);
  }

  /** Sends once. @param padding bytes that come with it. @returns what is said, and settles when it is known what became of it */
  say(at: number, padding = 0): { text: string; done: Promise<void> } {
    const text = `${this.#next++}${'.'.repeat(padding)}`;
    const done = this.#say(this.workers()[at]!, text);
    this.#underWay.add(done);
    void done.finally(() => this.#underWay.delete(done));
    return { text, done };
  }

  isRefused(text: string): boolean {
    return this.#refused.has(text);
  }

  /**
   * Ends the load; resolves once everybody has the last message, or never will.
   *
   * @param wasCut whether the witness may have missed the last messages of an epoch: those that members have got, and agree on
   */
  async end(wasCut = false): Promise<RoomReport> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    const last = await this.#sayTheLast();
    const late = await this.#arrival(last);
    if (wasCut) {
      believeMembers(
        this.truth,
        this.clients.map((client) => client.recordOf(this.roomName)),
      );
    }
    const excluded = new Map<string, string>();
    const story = { truth: this.truth, size: this.size, mayExpire: false, excluded };
    const records = this.clients.flatMap((client) => faultsOf(client.recordOf(this.roomName), client, story));
    return {
      faults: [...late, ...records, ...this.truth.contradictions, ...this.#sendFaults()],
      told: this.#told(),
      sent: this.#sent.size,
      refused: this.#refused.size,
    };
  }

  async close(): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#timer);
    await Promise.all(this.clients.map((client) => client.close()));
    await Promise.all(this.#underWay);
    this.witness.close();
  }

  async #say(worker: WorkerProcess, text: string): Promise<void> {
    const given = { room: this.roomName, data: text };
    try {
      await worker.run(
        ({ service }, { room, data }) => service.sendToRooms([room], { type: 'story', action: 'said', data }),
        given,
      );
      this.#sent.add(text);
    } catch (error) {
      // What a killed worker was about to send may be there or not.
      if ((error as WorkerFailure).code === 'UNAVAILABLE') this.#refused.add(text);
    }
  }

  async #sayTheLast(): Promise<string> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const { text, done } = this.say(0);
      await done;
      if (this.#sent.has(text)) return text;
      if (performance.now() > deadline) throw new Error('Nothing can be sent.');
    }
  }

  async #arrival(last: string): Promise<string[]> {
    const { truth, roomName } = this;
    const isThere = (client: StoryClient): boolean => {
      const { isMember, position } = client.recordOf(roomName);
      return isMember && position?.epoch === truth.epoch && position.offset >= truth.topOf(truth.epoch);
    };
    const isWhole = (): boolean => truth.placesOf(last).length > 0 && this.clients.every(isThere);
    await eventually('everybody has everything', isWhole, PATIENCE).catch(() => undefined);
    return this.clients
      .filter((client) => !isThere(client))
      .map(({ userId }) => `${userId} never got to the top (${truth.topOf(truth.epoch)} of ${truth.epoch})`);
  }

  #told(): Record<string, number> {
    const told: Record<string, number> = {};
    for (const client of this.clients) {
      for (const note of client.recordOf(this.roomName).notes) {
        const isLoss = note.kind === 'lost' || (note.kind === 'stands' && note.recovered === false);
        if (isLoss) told[String(note.reason)] = (told[String(note.reason)] ?? 0) + 1;
      }
    }
    return told;
  }

  #sendFaults(): string[] {
    const { truth } = this;
    return [
      ...[...this.#sent].flatMap((text) => {
        const places = truth.placesOf(text);
        return places.length === 1 ? [] : [`${text.slice(0, 20)} was sent and is at: ${places.join()}`];
      }),
      ...truth.epochs.flatMap((epoch) => {
        const top = truth.topOf(epoch);
        const all = Array.from({ length: top }, (_, at) => at + 1);
        return all.filter((offset) => truth.at(epoch, offset) === undefined).map((offset) => `${offset} is burnt`);
      }),
    ];
  }

  #bringBack(client: StoryClient): void {
    if (this.#isOver) return;
    setTimeout(() => {
      const workers = this.workers();
      if (!this.#isOver && client.isAway) void client.connect(workers[this.#next % workers.length]!.url());
    }, RETURN);
  }
}
