import { createHash } from 'node:crypto';
import { encodeName } from '../../redis/data/encode-name.js';
import { workerOf } from '../../runtime/client-id.js';
import type { WsTarget } from './envelope.js';

/** Above so many channels one copy for everybody is cheaper than one for each. */
const MANY = 32;
/** How many sharded channels all rooms share. */
const PARTITIONS = 256;

/** The names of one application's channels: all begin with its prefix, since pub/sub knows no database numbers. */
export class ClusterChannels {
  /** What every worker hears. */
  readonly everybody: string;

  constructor(
    private readonly prefix: string,
    /** Whether rooms share sharded channels, instead of having one each. */
    private readonly isSharded: boolean,
  ) {
    this.everybody = `${prefix}:broadcast`;
  }

  room(name: string): string {
    return this.isSharded ? `${this.prefix}:shard:${partitionOf(name)}` : `${this.prefix}:room:${encodeName(name)}`;
  }

  user(userId: string): string {
    return `${this.prefix}:user:${encodeName(userId)}`;
  }

  worker(workerId: string): string {
    return `${this.prefix}:worker:${encodeName(workerId)}`;
  }

  /** The channel of the events that an application calls by this name. */
  event(name: string): string {
    return `${this.prefix}:event:${encodeName(name)}`;
  }

  /** The pattern (PSUBSCRIBE) of all channels of events. */
  get everyEvent(): string {
    return `${this.prefix.replace(/[\\*?[\]]/g, '\\$&')}:event:*`;
  }

  /**
   * Where an envelope has to be published, so that every worker but `self` that may hold a recipient gets a copy. Empty
   * when no other worker can.
   *
   * @param self null: a process that is no worker
   */
  of(target: WsTarget, self: string | null): readonly string[] {
    switch (target.kind) {
      case 'everybody':
        return [this.everybody];
      case 'clients':
        return this.#bounded(this.#ofWorkers(target.clientIds.map(workerOf), self));
      case 'users':
        return this.#bounded(target.userIds.map((userId) => this.user(userId)));
      case 'rooms':
        return this.#bounded(target.roomNames.map((name) => this.room(name)));
      case 'workers':
        return this.#bounded(this.#ofWorkers(target.workerIds, self));
      case 'subscribers':
        return [this.event(target.channel)];
    }
  }

  /** An id without a worker is of an adopted socket, which its own worker alone knows. */
  #ofWorkers(ids: readonly (string | undefined)[], self: string | null): string[] {
    return ids.flatMap((id) => (id === undefined || id === self ? [] : [this.worker(id)]));
  }

  #bounded(names: string[]): readonly string[] {
    if (names.length < 2) return names;
    const unique = [...new Set(names)];
    return unique.length > MANY ? [this.everybody] : unique;
  }
}

function partitionOf(name: string): number {
  return (createHash('sha1').update(name).digest()[0] ?? 0) % PARTITIONS;
}
