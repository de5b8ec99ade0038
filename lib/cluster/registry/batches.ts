import { clientIdOf, endOf, type ConnectionEnd } from './client-changes.js';
import type { Batch } from './client-hash.js';
import type { ClientChange, ClientRecord } from './client-record.js';
import type { DescriptionPart, RegistryHost } from './cluster-registry.interface.js';
import { writeChanges, type DescribedMember } from './hint.js';
import type { Position } from './position.js';
import { stateField, withoutState, withoutStates, writeState, type SharedState } from '../presence/shared-state.js';

/** A change that waits for its batch. */
export interface WaitingChange {
  readonly clientId: string;
  /**
   * Its JSON, written when it happened: later the application may have put something without a JSON form into the client's
   * data. Undefined for what a member is described by: that is read when the batch is made.
   */
  readonly text?: string;
  /** The room where the client's state may have changed, by setting it or by leaving. Of a join its record tells it. */
  readonly stateIn?: string | undefined;
  /** The room where the client is described anew. */
  readonly describedIn?: string | undefined;
}

/** Makes the batches that keep Redis and the other workers up to date. */
export class Batches {
  /** The fields of states that are in the hash. */
  readonly #states = new Set<string>();

  constructor(private readonly workerId: string) {}

  /** All clients are written anew. */
  begin(): void {
    this.#states.clear();
  }

  /** Writes clients into a new hash. */
  whole({ seq }: Position, records: readonly ClientRecord[]): Batch {
    const fields = fieldsOf(records);
    for (const record of records) this.#addStates(record, fields);
    return { seq: seq + 1, hint: '', gone: [], fields };
  }

  /** Writes changes, and tells the others of them. */
  next(at: Position, changes: readonly WaitingChange[], host: RegistryHost): Batch {
    if (changes.length === 0) return { seq: at.seq, hint: '', gone: [], fields: [] };
    const gone: string[] = [];
    const records: ClientRecord[] = [];
    const written = changes.filter(({ text, describedIn }) => text !== undefined || describedIn !== undefined);
    for (const clientId of new Set(written.map((change) => change.clientId))) {
      const record = host.record(clientId);
      if (record) records.push(record);
      else gone.push(clientId);
    }
    const fields = fieldsOf(records);
    const states = this.#statesOf(changes, records, host, gone, fields);
    const texts = changes.flatMap(({ text }) => text ?? []);
    const position = { incarnation: at.incarnation, seq: at.seq + 1 };
    const hint = writeChanges(this.workerId, position, texts, describedOf(changes, host), states);
    return { seq: position.seq, hint, gone, fields };
  }

  /** Removes clients, and tells the others of their end. */
  ends(
    at: Position,
    records: readonly ClientRecord[],
    end: ConnectionEnd,
    stays: (roomName: string) => number | undefined,
  ): Batch {
    const texts = records.flatMap((record) => endOf(record, end, stays)).map((change) => JSON.stringify(change));
    const position = { incarnation: at.incarnation, seq: at.seq + 1 };
    const gone = records.map(({ clientId }) => clientId);
    return { seq: position.seq, hint: writeChanges(this.workerId, position, texts), gone, fields: [] };
  }

  /** Notes the fields of the states that have changed; the result is for the hint. */
  #statesOf(
    changes: readonly WaitingChange[],
    records: readonly ClientRecord[],
    host: RegistryHost,
    gone: string[],
    fields: string[],
  ): SharedState[] {
    // Whoever finds a record finds the states of its memberships, also of those that later batches tell of.
    for (const record of records) this.#addStates(record, fields);
    const told: SharedState[] = [];
    for (const [name, { clientId, roomName, isTold }] of this.#statesIn(changes)) {
      const { state, stateAt } = host.membership(clientId, roomName)?.presence ?? {};
      if (stateAt !== undefined) {
        this.#states.add(name);
        fields.push(name, writeState({ state, stateAt }));
        if (isTold) told.push({ clientId, roomName, state, stateAt });
      } else if (this.#states.delete(name)) gone.push(name);
    }
    return told;
  }

  /** Notes the fields of those states of a client that are not in the hash. */
  #addStates({ clientId, rooms }: ClientRecord, fields: string[]): void {
    for (const { roomName, presence } of rooms) {
      if (presence?.stateAt === undefined) continue;
      const name = stateField(clientId, roomName);
      if (!this.#states.has(name)) fields.push(name, writeState(presence));
      this.#states.add(name);
    }
  }

  /** The members whose state may have changed, by field. That of a member who has left and is back is told by its join. */
  #statesIn(changes: readonly WaitingChange[]): Map<string, { clientId: string; roomName: string; isTold: boolean }> {
    const states = new Map<string, { clientId: string; roomName: string; isTold: boolean }>();
    for (const { clientId, stateIn: roomName, text } of changes) {
      const isTold = text === undefined;
      // While no state is written, leaving a room makes no difference.
      if (roomName === undefined || (!isTold && this.#states.size === 0)) continue;
      const name = stateField(clientId, roomName);
      states.set(name, { clientId, roomName, isTold: isTold || states.get(name)?.isTold === true });
    }
    return states;
  }
}

/** A change of a client that waits for its batch. */
export function waitingOf(change: ClientChange): WaitingChange {
  const [clientId, text] = [clientIdOf(change), JSON.stringify(change)];
  return change.kind === 'left' ? { clientId, text, stateIn: change.membership.roomName } : { clientId, text };
}

/** A change of what a member is described by that waits for its batch. */
export function waitingDescription(clientId: string, roomName: string, part: DescriptionPart): WaitingChange {
  return part === 'state' ? { clientId, stateIn: roomName } : { clientId, describedIn: roomName };
}

/** The members that are described anew, as they are now. */
function describedOf(changes: readonly WaitingChange[], host: RegistryHost): DescribedMember[] {
  const described = new Map<string, DescribedMember>();
  for (const { clientId, describedIn } of changes) {
    const membership = describedIn === undefined ? undefined : host.membership(clientId, describedIn);
    if (!membership) continue;
    described.set(stateField(clientId, membership.roomName), { clientId, membership: withoutState(membership) });
  }
  return [...described.values()];
}

function fieldsOf(records: readonly ClientRecord[]): string[] {
  return records.flatMap((record) => [record.clientId, JSON.stringify(withoutStates(record))]);
}
