import type { RedisLink } from '../../redis/redis-link.js';
import { pairsOf } from '../../redis/scan-hash.js';
import type { Runtime } from '../../runtime/runtime.js';
import { readObject } from '../json-text.js';
import { writeHint } from './hint.js';
import type { RenewalCause } from './leased-data.interface.js';
import { BEAT, LEAVE, TAKE, TAKE_OVER } from './lease-scripts.js';
import { type Position } from './position.js';
import type { RegistryKeys } from './registry-keys.js';

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

type BeatReply = [epoch: string, before: string, now: number, leases: string[], workers: string[], dead: string[]];

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
    const { leases, workers, dead, epoch } = this.keys;
    const args = [this.workerId, this.lease, text, isNew ? 1 : 0, this.runtime.randomId(9)];
    const reply = (await this.link.run((redis) => BEAT.run(redis, [leases, workers, dead, epoch], args))) as BeatReply;
    const standing = this.#judge(reply, incarnation);
    this.#epoch = reply[0];
    this.#confirmed = beat;
    this.#incarnation = incarnation;
    return { ...standing, others: this.#othersOf(reply), dead: this.#deadOf(reply) };
  }

  /** Takes an expired lease. True: it is on us to see to what the worker has left. */
  async take({ workerId, incarnation, seq, text }: Lease): Promise<boolean> {
    const { leases, workers, dead, hints } = this.keys;
    const hint = writeHint({ kind: 'dead', workerId, incarnation, seq, changes: [] });
    const args = [workerId, text, fieldOf(workerId, incarnation), hints, hint];
    return (await this.link.run((redis) => TAKE.run(redis, [leases, workers, dead], args))) === 1;
  }

  /** Takes over what another one should have seen to. True: it is on us now. */
  async takeOver({ workerId, incarnation }: DeadIncarnation): Promise<boolean> {
    const args = [fieldOf(workerId, incarnation), this.lease];
    return (await this.link.run((redis) => TAKE_OVER.run(redis, [this.keys.dead], args))) === 1;
  }

  /** Nothing of a dead worker is left. */
  async forget(workerId: string, incarnation: number): Promise<void> {
    await this.link.run((redis) => redis.hdel(this.keys.dead, fieldOf(workerId, incarnation)));
  }

  /** Gives our own lease up. */
  async leave({ incarnation, seq }: Position): Promise<void> {
    const { leases, workers, hints } = this.keys;
    const hint = writeHint({ kind: 'left', workerId: this.workerId, incarnation, seq, changes: [] });
    await this.link.run((redis) => LEAVE.run(redis, [leases, workers], [this.workerId, hints, hint]));
  }

  #judge([epoch, before]: BeatReply, incarnation: number): Pick<LeaseReading, 'isHeld' | 'entered'> {
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

  #othersOf([, , now, leases, workers]: BeatReply): Lease[] {
    const texts = new Map(pairsOf(workers));
    return pairsOf(leases).flatMap(([workerId, ends]) => {
      const text = texts.get(workerId) ?? '';
      const { incarnation, seq, connections, beat, isBlind } = readObject(text) ?? {};
      if (workerId === this.workerId || typeof incarnation !== 'number' || typeof seq !== 'number') return [];
      const numbers = { incarnation, seq, connections: Number(connections), beat: Number(beat) };
      return { workerId, ...numbers, isBlind: isBlind === true, isExpired: Number(ends) < now, text };
    });
  }

  #deadOf([, , now, , , dead]: BeatReply): DeadIncarnation[] {
    return pairsOf(dead).map(([field, since]) => {
      const [workerId = '', incarnation] = field.split('.');
      return { workerId, incarnation: Number(incarnation), isOverdue: Number(since) + this.lease < now };
    });
  }
}

function fieldOf(workerId: string, incarnation: number): string {
  return `${workerId}.${incarnation}`;
}
