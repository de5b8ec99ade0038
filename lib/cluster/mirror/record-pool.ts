import type { ClientRecord, SharedMembership } from '../registry/client-record.js';

/** How many memberships are kept at most, some 100 bytes each. */
const MOST = 4_096;
const NO_METADATA: ClientRecord['metadata'] = Object.freeze({});

/**
 * The parts of records that the clients of other workers can share: empty metadata, and memberships without anything of the
 * member's own, so that all members of a room have one copy of its name. The pool keeps the rooms that were met last and begins
 * anew when it is full, so that it need not know which rooms are still in use: what it misses costs the bytes of one more
 * membership.
 */
export class RecordPool {
  readonly #memberships = new Map<string, SharedMembership>();

  /** An equal record, made of shared parts where there are any. */
  shareParts(record: ClientRecord): ClientRecord {
    const rooms = record.rooms.map((membership) => this.share(membership));
    const metadata = Object.keys(record.metadata).length === 0 ? NO_METADATA : record.metadata;
    return { ...record, metadata, rooms };
  }

  /** An equal membership, which may be that of other clients too. */
  share(membership: SharedMembership): SharedMembership {
    const { roomName, username, isAnnounced, presence } = membership;
    if (username !== undefined || presence) return membership;
    const known = this.#memberships.get(roomName);
    if (known && known.isAnnounced === isAnnounced) return known;
    if (this.#memberships.size >= MOST) this.#memberships.clear();
    this.#memberships.set(roomName, membership);
    return membership;
  }
}
