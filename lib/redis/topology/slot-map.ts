import type { Runtime } from '../../runtime/runtime.js';
import { keySlotOf, SLOTS } from './key-slot.js';

/** Milliseconds after a slot has moved during which some of its subscribers may not have followed it. */
export const SETTLING = 5_000;

/** Milliseconds after a node has lost a slot during which it may be losing more of them. */
const DRAINING = 10_000;

/** A node of a cluster as ioredis names it, `host:port`. */
type NodeName = string;

/**
 * Which master of a Redis Cluster serves which slot, and which slots have moved recently: messages that are published there
 * may not reach all subscribers.
 */
export class SlotMap {
  #owners: (NodeName | undefined)[] | null = null;
  readonly #movedAt = new Map<number, number>();
  /** When each node last lost a slot. */
  readonly #lostAt = new Map<NodeName, number>();
  /** Slots whose last message had no receivers. */
  readonly #quiet = new Set<number>();
  readonly #slotOfChannel = new Map<string, number>();

  constructor(private readonly runtime: Runtime) {}

  /**
   * Takes the slots as ioredis read them: for each slot its nodes, the master first.
   *
   * @returns whether some slots have moved
   */
  learn(slots: readonly (readonly NodeName[] | undefined)[]): boolean {
    const owners = Array.from({ length: SLOTS }, (_, slot) => slots[slot]?.[0]);
    const before = this.#owners;
    this.#owners = owners;
    this.#forgetOldMoves();
    let haveMoved = false;
    for (let slot = 0; slot < SLOTS; slot++) {
      // At the first look all slots count as moved, since nothing is known of the time before.
      if (before && before[slot] === owners[slot]) continue;
      this.moved(slot);
      const former = before?.[slot];
      if (former !== undefined) this.#lostAt.set(former, this.runtime.monotonic());
      haveMoved = before !== null;
    }
    return haveMoved;
  }

  /** Whether the node has lost slots recently, so that it may be leaving the cluster. */
  isDraining(node: NodeName): boolean {
    const at = this.#lostAt.get(node);
    return at !== undefined && this.runtime.monotonic() - at < DRAINING;
  }

  /** The master that serves the slot; undefined when none is known. */
  ownerOf(slot: number): NodeName | undefined {
    return this.#owners?.[slot];
  }

  /** The slots of every master that serves any. */
  byOwner(): Map<NodeName, Set<number>> {
    const byOwner = new Map<NodeName, Set<number>>();
    for (const [slot, owner] of this.#owners?.entries() ?? []) {
      if (owner === undefined) continue;
      const served = byOwner.get(owner);
      if (served) served.add(slot);
      else byOwner.set(owner, new Set([slot]));
    }
    return byOwner;
  }

  /** The slot of a channel. Remembered, so only for the few sharded channels. */
  slotOf(channel: string): number {
    let slot = this.#slotOfChannel.get(channel);
    if (slot === undefined) this.#slotOfChannel.set(channel, (slot = keySlotOf(channel)));
    return slot;
  }

  /** The slot was found to be at another node. */
  moved(slot: number): void {
    this.#movedAt.set(slot, this.runtime.monotonic());
    this.#quiet.delete(slot);
  }

  /** Whether some subscribers may not have followed the slot yet. */
  isMoving(slot: number): boolean {
    const at = this.#movedAt.get(slot);
    return at !== undefined && this.runtime.monotonic() - at < SETTLING;
  }

  /**
   * Takes the number of receivers of a message in the slot.
   *
   * @returns false when its subscribers may be at another node: after a failover the old master still takes messages,
   * although it has disconnected all subscribers
   */
  isHeard(slot: number, receivers: number): boolean {
    if (receivers > 0) {
      this.#quiet.delete(slot);
      return true;
    }
    // Messages that were sent together with the first one may go to the old master as well.
    if (this.#quiet.has(slot)) return !this.isMoving(slot);
    this.moved(slot);
    this.#quiet.add(slot);
    return false;
  }

  #forgetOldMoves(): void {
    for (const slot of this.#movedAt.keys()) if (!this.isMoving(slot)) this.#movedAt.delete(slot);
    for (const node of this.#lostAt.keys()) if (!this.isDraining(node)) this.#lostAt.delete(node);
  }
}
