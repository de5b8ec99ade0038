import { Redis } from 'ioredis';
import type { RoomRecord } from './room-record.js';

/** What was appended to a room, by the word of Redis itself. */
export class RoomTruth {
  readonly #epochs = new Map<string, Map<number, string>>();
  readonly contradictions: string[] = [];
  /** The newest epoch. */
  epoch = '';

  learn(epoch: string, offset: number, said: string): void {
    let messages = this.#epochs.get(epoch);
    if (!messages) {
      this.#epochs.set(epoch, (messages = new Map<number, string>()));
      this.epoch = epoch;
    }
    const known = messages.get(offset);
    if (known !== undefined && known !== said) {
      this.contradictions.push(`${offset} of ${epoch} is ${known} and ${said}`);
    }
    messages.set(offset, said);
  }

  at(epoch: string, offset: number): string | undefined {
    return this.#epochs.get(epoch)?.get(offset);
  }

  topOf(epoch: string): number {
    return Math.max(0, ...(this.#epochs.get(epoch)?.keys() ?? []));
  }

  get epochs(): readonly string[] {
    return [...this.#epochs.keys()];
  }

  /** Where a message is, over all epochs. */
  placesOf(said: string): string[] {
    return this.epochs.flatMap((epoch) =>
      [...this.#epochs.get(epoch)!].filter(([, other]) => other === said).map(([offset]) => `${offset} of ${epoch}`),
    );
  }

  /** What an epoch's messages say, in the order of their numbers. */
  said(epoch: string): string[] {
    return [...(this.#epochs.get(epoch) ?? [])].sort(([a], [b]) => a - b).map(([, said]) => said);
  }
}

/**
 * A Redis that is killed may have told the workers of its last messages, and not yet the witness: of an epoch that is over
 * those count that members have got, and agree on.
 */
export function believeMembers(truth: RoomTruth, records: readonly RoomRecord[]): void {
  const former = truth.epochs.filter((epoch) => epoch !== truth.epoch);
  const tops = new Map(former.map((epoch) => [epoch, truth.topOf(epoch)]));
  for (const note of records.flatMap(({ notes }) => notes)) {
    if (note.kind === 'got' && note.offset > (tops.get(note.epoch) ?? Infinity)) {
      truth.learn(note.epoch, note.offset, note.said);
    }
  }
}

/** Listens to Redis beside all workers, on a network without faults, and writes down which number each message got. */
export class RoomWitness {
  readonly #rooms = new Map<string, RoomTruth>();
  readonly #connections: Redis[] = [];

  /**
   * Resolves once it hears a server; before that server's workers are let to it.
   *
   * @param isPersistent whether it comes back at once when it is cut: Sentinel cuts all clients of the server that it makes
   * the master
   */
  async listen(port: number, isPersistent = false): Promise<void> {
    const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => (isPersistent ? 1 : null) });
    this.#connections.push(redis);
    redis.on('error', () => {});
    redis.on('pmessageBuffer', (_pattern: Buffer, _channel: Buffer, payload: Buffer) => this.#hear(payload.toString()));
    await redis.client('SETNAME', 'witness');
    await redis.psubscribe('*');
  }

  truthOf(roomName: string): RoomTruth {
    let truth = this.#rooms.get(roomName);
    if (!truth) this.#rooms.set(roomName, (truth = new RoomTruth()));
    return truth;
  }

  close(): void {
    for (const redis of this.#connections) redis.disconnect();
  }

  #hear(payload: string): void {
    const end = payload.indexOf('\n');
    // An empty message is what a worker sends at its start to see whether it may.
    if (end < 0 || end === payload.length - 1 || !payload.startsWith('{"n":')) return;
    const { n, to } = JSON.parse(payload.slice(0, end)) as { n: [string, number]; to: [string, string] };
    const { data } = JSON.parse(payload.slice(end + 1)) as { data: string };
    this.truthOf(to[1]).learn(...n, data);
  }
}
