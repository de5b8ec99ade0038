import { keySlotOf } from '../topology/key-slot.js';
import type { SlotMap } from '../topology/slot-map.js';
import type { RedisCommands } from './redis-commands.js';
import { unavailable, unpublished } from './redis-failures.js';

/** Signs a message for a channel, where messages are signed. */
export type Seal = (channel: string, payload: string | Buffer) => string | Buffer;

/**
 * Publishes to sharded channels, at the node that serves the channel's slot. While a slot moves, some of its subscribers may
 * not have followed it yet; then the message is published on a detour instead, a classic channel.
 */
export class ShardedPublisher {
  #detours = 0;

  constructor(
    private readonly commands: RedisCommands,
    private readonly slots: SlotMap,
    private readonly seal: Seal,
  ) {}

  /** How many messages took the detour. */
  get detours(): number {
    return this.#detours;
  }

  /** @see RedisLink.publish */
  async publish(channel: string, payload: string | Buffer, detour: string | undefined): Promise<void> {
    const hasArrived = await this.#publish(channel, payload, detour !== undefined).catch(throwUnpublished);
    if (hasArrived) return;
    if (detour === undefined) throw unavailable(new Error('The slot of the channel is moving.'));
    this.#detours++;
    await this.commands.publish(detour, this.seal(detour, payload));
  }

  /** Whether all subscribers have received what somebody else published; otherwise it has to take the detour. */
  isHeard(channel: string, receivers: number): boolean {
    const slot = this.slots.slotOf(channel);
    const isHeard = !this.slots.isMoving(slot) && this.slots.isHeard(slot, receivers);
    if (!isHeard) this.#detours++;
    return isHeard;
  }

  /** @returns the number of receivers; null when it was not published, because another node serves the slot */
  publishAtOwner(channel: string, payload: string | Buffer): Promise<number | null> {
    const owner = this.slots.ownerOf(keySlotOf(channel));
    if (owner === undefined) return Promise.resolve(null);
    return this.commands.publishAt(owner, channel, this.seal(channel, payload));
  }

  /** @returns false when some subscribers may not have received it */
  async #publish(channel: string, payload: string | Buffer, hasDetour: boolean): Promise<boolean> {
    const slot = this.slots.slotOf(channel);
    if (hasDetour && this.slots.isMoving(slot)) return false;
    const receivers = await this.publishAtOwner(channel, payload);
    if (receivers === null) this.slots.moved(slot);
    else if (this.slots.isHeard(slot, receivers)) return true;
    this.commands.learnSlots();
    return receivers !== null && !hasDetour;
  }
}

function throwUnpublished(failure: unknown): never {
  throw unpublished(failure);
}
