import { membershipOf } from '../registry/client-changes.js';
import type { ClientRecord } from '../registry/client-record.js';
import { stateField, withoutState, withState, type SharedState } from './shared-state.js';

/** The states of members in a snapshot, which come before the records of their clients or after them. */
export class SnapshotStates {
  readonly #states = new Map<string, SharedState>();

  add(state: SharedState): void {
    this.#states.set(stateField(state.clientId, state.roomName), state);
  }

  /**
   * The record with the states that have come. Others are those of an earlier record of the client, or none.
   *
   * @returns the same record when the client is in no room with presence
   */
  fill(record: ClientRecord, former?: ClientRecord): ClientRecord {
    if (!record.rooms.some(({ presence }) => presence)) return record;
    const rooms = record.rooms.map((membership) => {
      const { roomName } = membership;
      const state =
        this.#states.get(stateField(record.clientId, roomName)) ?? (former && membershipOf(former, roomName)?.presence);
      return state ? withState(membership, state) : withoutState(membership);
    });
    return { ...record, rooms };
  }
}
