import type { Runtime } from '../../runtime/runtime.js';
import { keySlotOf, SLOTS } from './key-slot.js';

/** Milliseconds after a slot has gone to another node for which not all of its subscribers may have followed it. */
export const SETTLING = 5_000;

/** Milliseconds after a node has lost a slot for which it may be losing more of them. */
const DRAINING = 10_000;

/** A node of a cluster, named as ioredis names it: `host:port`. */
type NodeName = string;

/**
 * Which master serves which slot of a cluster, and which slots have gone to another one of late: nobody may trust then
 * that what is published there is heard.
 */
export class SlotMap {
  #owners: (NodeName | undefined)[] | null = null;
  readonly #movedAt = new Map<number, number>();
  /** When nodes have lost a slot. */
  readonly #lostAt = new Map<NodeName, number>();
  /** Slots where the last message was heard by nobody. */
  readonly #quiet = new Set<number>();
  readonly #slotOfChannel = new Map<string, number>();

  constructor(private readonly runtime: Runtime) {}

  /**
   * Takes in what ioredis has been told, for each slot its nodes, the master first.
   *
   * @returns whether some have another owner than before
   */
  learn(slots: readonly (readonly NodeName[] | undefined)[]): boolean {
    const owners = Array.from({ length: SLOTS }, (_, slot) => slots[slot]?.[0]);
    const before = this.#owners;
    this.#owners = owners;
    this.#forgetOldMoves();
    let haveMoved = false;
    for (let slot = 0; slot < SLOTS; slot++) {
      // Before the first look anything may have happened.
      if (before && before[slot] === owners[slot]) continue;
      this.moved(slot);
      const former = before?.[slot];
      if (former !== undefined) this.#lostAt.set(former, this.runtime.monotonic());
      haveMoved = before !== null;
    }
    return haveMoved;
  }

  /** Whether the node has lost slots of late: it may be on its way out of the cluster. */
  isDraining(node: NodeName): boolean {
    const at = this.#lostAt.get(node);
    return at !== undefined && this.runtime.monotonic() - at < DRAINING;
  }

  /** The master that serves the slot; undefined: none does, so far as is known. */
  ownerOf(slot: number): NodeName | undefined {
    return this.#owners?.[slot];
  }

  /** Every master that serves slots, with those. */
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

  /** The slot of a channel; for the few that rooms share. */
  slotOf(channel: string): number {
    let slot = this.#slotOfChannel.get(channel);
    if (slot === undefined) this.#slotOfChannel.set(channel, (slot = keySlotOf(channel)));
    return slot;
  }

  /** The slot has been found to be elsewhere. */
  moved(slot: number): void {
    this.#movedAt.set(slot, this.runtime.monotonic());
    this.#quiet.delete(slot);
  }

  /** Whether not all subscribers may have followed the slot yet. */
  isMoving(slot: number): boolean {
    const at = this.#movedAt.get(slot);
    return at !== undefined && this.runtime.monotonic() - at < SETTLING;
  }

  /**
   * A message to the slot was heard by so many.
   *
   * @returns false: its subscribers may be elsewhere. After a failover the old master goes on taking messages, although
   * it has sent all subscribers away
   */
  isHeard(slot: number, receivers: number): boolean {
    if (receivers > 0) {
      this.#quiet.delete(slot);
      return true;
    }
    // Others were under way together with the first one: a failover holds them up, and lets them go to the old master.
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
