import { createHash } from 'node:crypto';
import { encodeName } from '../../redis/data/encode-name.js';
import { workerOf } from '../../runtime/client-id.js';
import type { WsTarget } from './envelope.js';

/** Above this number of channels, one publication to everybody is cheaper than one per channel. */
const MANY = 32;
/** The number of sharded channels that all rooms share. */
const PARTITIONS = 256;

/** The key that keeps a room's messages, and the channel on which they are published. */
export interface HistoryPlace {
  readonly key: string;
  readonly channel: string;
}

/** The names of one application's channels and of the keys of its rooms. They begin with its prefix, because pub/sub ignores database numbers. */
export class ClusterChannels {
  /** The channel that every worker subscribes to. */
  readonly everybody: string;

  constructor(
    private readonly prefix: string,
    /** Whether rooms share sharded channels instead of having one channel each. */
    readonly isSharded: boolean,
  ) {
    this.everybody = `${prefix}:broadcast`;
  }

  room(name: string): string {
    return this.isSharded ? `${this.prefix}:shard:${partitionOf(name)}` : `${this.prefix}:room:${encodeName(name)}`;
  }

  /** Where a room's history is, in the slot of the room's channel if that is sharded. */
  history(roomName: string): HistoryPlace {
    const channel = this.room(roomName);
    const name = encodeName(roomName);
    const place = this.isSharded ? `{${channel}}:${name}` : `{${name}}`;
    return { key: `${this.prefix}:history:${place}`, channel };
  }

  /** A history of no room, whose messages nobody hears: to try what Redis allows. */
  get triedHistory(): HistoryPlace {
    const channel = this.isSharded ? `${this.prefix}:shard:tried` : `${this.prefix}:tried`;
    return { key: `${this.prefix}:tried:{${channel}}`, channel };
  }

  user(userId: string): string {
    return `${this.prefix}:user:${encodeName(userId)}`;
  }

  worker(workerId: string): string {
    return `${this.prefix}:worker:${encodeName(workerId)}`;
  }

  /** The channel of an application's events. */
  event(name: string): string {
    return `${this.prefix}:event:${encodeName(name)}`;
  }

  /** The pattern (PSUBSCRIBE) of all event channels. */
  get everyEvent(): string {
    return `${this.prefix.replace(/[\\*?[\]]/g, '\\$&')}:event:*`;
  }

  /**
   * The channels on which an envelope has to be published to reach every other worker that may hold a recipient. Empty when
   * no other worker can hold one.
   *
   * @param self this worker's id; null: this process is no worker
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

  /** Ids without a worker belong to adopted sockets, which only their own worker knows. */
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
