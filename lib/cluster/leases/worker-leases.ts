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

/** What the names of the fields begin with: see `lease-scripts.ts`. */
const WORKER = 'worker:';
const DEAD = 'dead:';

/** A worker, as its lease tells. */
export interface Lease extends Position {
  readonly workerId: string;
  /** Rises whenever it is renewed. */
  readonly beat: number;
  readonly connections: number;
  /** It keeps no mirror, and hears of ends only when it is told. */
  readonly isBlind: boolean;
  /** Its time is over, and nobody has taken it yet. */
  readonly isExpired: boolean;
  /** The text that all this was read from. */
  readonly text: string;
}

/** An incarnation of a worker that was found dead. */
export interface DeadIncarnation {
  readonly workerId: string;
  readonly incarnation: number;
  /** Whoever took it should have finished by now. */
  readonly isOverdue: boolean;
}

/** What a beat found. */
export interface LeaseReading {
  /** Whether we have a lease now. Else we have to come back as a new incarnation. */
  readonly isHeld: boolean;
  /** How it is that we hold it with a new incarnation since this beat; null: we do not. */
  readonly entered: RenewalCause | null;
  readonly others: readonly Lease[];
  readonly dead: readonly DeadIncarnation[];
}

type BeatReply = [before: string, now: number, fields: string[]];

/** What the hash of the leases holds. */
interface Contents {
  readonly epoch: string;
  /** By worker. */
  readonly leases: ReadonlyMap<string, { readonly ends: number; readonly text: string }>;
  /** Since when somebody sees to them, by incarnation. */
  readonly dead: ReadonlyMap<string, number>;
}

/**
 * The leases by which workers know that others live. They end by Redis' clock, so that no worker's own matters. Each method
 * fails as `RedisLink.run` does.
 */
export class WorkerLeases {
  #epoch: string | null = null;
  #beats = 0;
  /** The last beat that Redis has confirmed: what it holds of us cannot be older. */
  #confirmed = 0;
  #incarnation = 0;
  /** Redis has not what it once had, and we have not come back yet. */
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

  /** Renews our lease, and reads those of the others. */
  async beat({ incarnation, seq }: Position, connections: number): Promise<LeaseReading> {
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

  /** Takes an expired lease. True: it is on us to see to what the worker has left. */
  async take({ workerId, incarnation, seq, text }: Lease): Promise<boolean> {
    const { hints } = this.keys;
    const hint = this.link.sealed(hints, writeHint({ kind: 'dead', workerId, incarnation, seq, changes: [] }));
    return (await this.#run(TAKE, [workerId, text, nameOf(workerId, incarnation), hints, hint])) === 1;
  }

  /** Takes over what another one should have seen to. True: it is on us now. */
  async takeOver({ workerId, incarnation }: DeadIncarnation): Promise<boolean> {
    return (await this.#run(TAKE_OVER, [nameOf(workerId, incarnation), this.lease])) === 1;
  }

  /** Nothing of a dead worker is left. */
  async forget(workerId: string, incarnation: number): Promise<void> {
    await this.link.run((redis) => redis.hdel(this.keys.leases, DEAD + nameOf(workerId, incarnation)));
  }

  /** Gives our own lease up. */
  async leave({ incarnation, seq }: Position): Promise<void> {
    const { hints } = this.keys;
    const left = writeHint({ kind: 'left', workerId: this.workerId, incarnation, seq, changes: [] });
    await this.#run(LEAVE, [this.workerId, hints, this.link.sealed(hints, left)]);
  }

  #run(script: RedisScript, args: readonly (string | number)[]): Promise<unknown> {
    return this.link.run((redis) => script.run(redis, [this.keys.leases], args));
  }

  #judge(epoch: string, before: string, incarnation: number): Pick<LeaseReading, 'isHeld' | 'entered'> {
    const isNew = incarnation !== this.#incarnation;
    const isOlder = before !== '' && Number(readObject(before)?.beat) < this.#confirmed;
    this.#isLost ||= isOlder || (this.#epoch !== null && epoch !== this.#epoch);
    if (!isNew) return { isHeld: before !== '' && !this.#isLost, entered: null };
    // What we have left there ourselves when the answer was lost does not tell what was there before.
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
      return { workerId, ...numbers, isBlind: isBlind === true, isExpired: ends < now, text };
    });
  }

  #deadOf({ dead }: Contents, now: number): DeadIncarnation[] {
    return [...dead].map(([name, since]) => {
      const [workerId = '', incarnation] = name.split('.');
      return { workerId, incarnation: Number(incarnation), isOverdue: since + this.lease < now };
    });
  }
}

/** Somebody else may have written to the hash: what is not ours is left out. */
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
