import type { RedisLink } from '../../redis/link/redis-link.js';
import type { RedisScript } from '../../redis/data/redis-script.js';
import { pairsOf } from '../../redis/data/scan-hash.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../bus/json-text.js';
import { writeHint } from '../registry/hint.js';
import type { RenewalCause } from './leased-data.interface.js';
import { BEAT, LEAVE, TAKE, TAKE_OVER } from './lease-scripts.js';
import { type Position } from '../registry/position.js';
import type { RegistryKeys } from '../registry/registry-keys.js';

/** Prefixes of the hash's fields: see `lease-scripts.ts`. */
const WORKER = 'worker:';
const DEAD = 'dead:';

/** Another worker's lease, with the worker's description of itself. */
export interface Lease extends Position {
  readonly workerId: string;
  /** Rises with each renewal. */
  readonly beat: number;
  readonly connections: number;
  /** Whether the worker keeps no mirror, so that it has to be told of each client of a dead worker. */
  readonly isBlind: boolean;
  /** When it expires, or has expired, in ms since 1970 by Redis' clock. */
  readonly ends: number;
  /** Whether the lease has expired and was not taken yet. */
  readonly isExpired: boolean;
  /** The description as it is in Redis. */
  readonly text: string;
}

/** An incarnation of a dead worker whose data is still in Redis. */
export interface DeadIncarnation {
  readonly workerId: string;
  readonly incarnation: number;
  /** Since when it is dead, as far as is known, in ms since 1970 by Redis' clock. */
  readonly since: number;
  /** Whether the worker that removes the data did not finish in time. */
  readonly isOverdue: boolean;
}

/** What a renewal found. */
export interface LeaseReading {
  /** Whether this worker has its lease. Otherwise it has to come back as a new incarnation. */
  readonly isHeld: boolean;
  /** Why the lease is held by a new incarnation since this renewal; null: it is the same incarnation as before. */
  readonly entered: RenewalCause | null;
  readonly others: readonly Lease[];
  readonly dead: readonly DeadIncarnation[];
}

type BeatReply = [before: string, now: number, fields: string[]];

/** The contents of the hash. */
interface Contents {
  readonly epoch: string;
  /** By worker id. */
  readonly leases: ReadonlyMap<string, { readonly ends: number; readonly text: string }>;
  /** Since when their data is being removed (ms), by `<id>.<incarnation>`. */
  readonly dead: ReadonlyMap<string, number>;
}

/**
 * The leases by which workers know of each other. They expire by Redis' clock, so the workers' own clocks do not matter.
 * Each method fails as `RedisLink.run` does.
 */
export class WorkerLeases {
  #epoch: string | null = null;
  #beats = 0;
  /** The last renewal that Redis confirmed. An older one in Redis shows that Redis went back to older data. */
  #confirmed = 0;
  #incarnation = 0;
  /** Whether Redis has lost data, and this worker has not come back as a new incarnation yet. */
  #isLost = false;

  /** @param lease ms */
  constructor(
    private readonly link: RedisLink,
    private readonly keys: RegistryKeys,
    private readonly workerId: string,
    private readonly lease: number,
    private readonly isBlind: boolean,
    private readonly runtime: Runtime,
  ) {}

  /** Renews this worker's lease and reads those of the others. */
  async renew({ incarnation, seq }: Position, connections: number): Promise<LeaseReading> {
    const beat = ++this.#beats;
    const isNew = incarnation !== this.#incarnation;
    const text = JSON.stringify({ incarnation, seq, connections, beat, isBlind: this.isBlind });
    const args = [this.workerId, this.lease, text, isNew ? 1 : 0, this.runtime.randomId(9)];
    const [before, now, fields] = (await this.#run(BEAT, args)) as BeatReply;
    const contents = contentsOf(fields);
    const standing = this.#judge(contents.epoch, before, incarnation);
    this.#epoch = contents.epoch;
    this.#confirmed = beat;
    this.#incarnation = incarnation;
    return { ...standing, others: this.#othersOf(contents, now), dead: this.#deadOf(contents, now) };
  }

  /** Takes an expired lease. True: this worker has to remove the dead one's data. */
  async take({ workerId, incarnation, seq, text }: Lease): Promise<boolean> {
    const { hints } = this.keys;
    const hint = this.link.sealed(hints, writeHint({ kind: 'dead', workerId, incarnation, seq, changes: [] }));
    return (await this.#run(TAKE, [workerId, text, nameOf(workerId, incarnation), hints, hint])) === 1;
  }

  /** Takes over an overdue removal. True: this worker has to do it now. */
  async takeOver({ workerId, incarnation }: DeadIncarnation): Promise<boolean> {
    return (await this.#run(TAKE_OVER, [nameOf(workerId, incarnation), this.lease])) === 1;
  }

  /** The data of a dead incarnation is removed. */
  async forget(workerId: string, incarnation: number): Promise<void> {
    await this.link.run((redis) => redis.hdel(this.keys.leases, DEAD + nameOf(workerId, incarnation)));
  }

  /** Gives up this worker's lease. @param isDataLeft whether another worker has to remove data of this one */
  async leave({ incarnation, seq }: Position, isDataLeft: boolean): Promise<void> {
    const { hints } = this.keys;
    const left = writeHint({ kind: 'left', workerId: this.workerId, incarnation, seq, changes: [] });
    const remains = isDataLeft ? nameOf(this.workerId, incarnation) : '';
    await this.#run(LEAVE, [this.workerId, hints, this.link.sealed(hints, left), remains]);
  }

  #run(script: RedisScript, args: readonly (string | number)[]): Promise<unknown> {
    return this.link.run((redis) => script.run(redis, [this.keys.leases], args));
  }

  #judge(epoch: string, before: string, incarnation: number): Pick<LeaseReading, 'isHeld' | 'entered'> {
    const isNew = incarnation !== this.#incarnation;
    const isOlder = before !== '' && Number(readObject(before)?.beat) < this.#confirmed;
    this.#isLost ||= isOlder || (this.#epoch !== null && epoch !== this.#epoch);
    if (!isNew) return { isHeld: before !== '' && !this.#isLost, entered: null };
    // The lease may be of this same incarnation: written by a call whose reply was lost. It does not tell what was there before.
    const wasHeld = before !== '' && Number(readObject(before)?.incarnation) !== incarnation;
    const entered = this.#isLost ? 'lost' : wasHeld ? 'kept' : this.#epoch === null ? 'started' : 'gone';
    this.#isLost = false;
    return { isHeld: true, entered };
  }

  #othersOf({ leases }: Contents, now: number): Lease[] {
    return [...leases].flatMap(([workerId, { ends, text }]) => {
      const { incarnation, seq, connections, beat, isBlind } = readObject(text) ?? {};
      if (workerId === this.workerId || typeof incarnation !== 'number' || typeof seq !== 'number') return [];
      const numbers = { incarnation, seq, connections: Number(connections), beat: Number(beat) };
      return { workerId, ...numbers, isBlind: isBlind === true, ends, isExpired: ends < now, text };
    });
  }

  #deadOf({ dead }: Contents, now: number): DeadIncarnation[] {
    return [...dead].map(([name, since]) => {
      const [workerId = '', incarnation] = name.split('.');
      const isOverdue = since + this.lease < now;
      // A worker that has stopped says nothing of the time.
      return { workerId, incarnation: Number(incarnation), since: since || now, isOverdue };
    });
  }
}

/** Fields that this library does not know are ignored. */
function contentsOf(fields: readonly string[]): Contents {
  let epoch = '';
  const leases = new Map<string, { ends: number; text: string }>();
  const dead = new Map<string, number>();
  for (const [field, value] of pairsOf(fields)) {
    if (field === 'epoch') epoch = value;
    else if (field.startsWith(DEAD)) dead.set(field.slice(DEAD.length), Number(value));
    else if (field.startsWith(WORKER)) {
      const space = value.indexOf(' ');
      leases.set(field.slice(WORKER.length), { ends: Number(value.slice(0, space)), text: value.slice(space + 1) });
    }
  }
  return { epoch, leases, dead };
}

function nameOf(workerId: string, incarnation: number): string {
  return `${workerId}.${incarnation}`;
}
