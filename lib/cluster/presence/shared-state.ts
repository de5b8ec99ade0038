import { isObject, isTexts, readJson, readObject } from '../bus/json-text.js';
import { isOptional, type ClientRecord, type SharedMembership } from '../registry/client-record.js';

/**
 * What a client has set itself in a room with presence. It is not in the client's record in Redis, but in a field of its own
 * beside it: a change of state would otherwise write the client with all of its rooms anew.
 */
export interface SharedState {
  readonly clientId: string;
  readonly roomName: string;
  /** Undefined and null: nothing. */
  readonly state?: unknown;
  /** When it was set, in ms since 1970. */
  readonly stateAt?: number | undefined;
}

/** The names of such fields begin so. */
const BEGINNING = '["';

/** Whether a value from the bus is a state. */
export function isState(value: unknown): value is SharedState {
  if (!isObject(value)) return false;
  const { clientId, roomName, stateAt } = value;
  return typeof clientId === 'string' && typeof roomName === 'string' && isOptional(stateAt, 'number');
}

/** The name of the field. */
export function stateField(clientId: string, roomName: string): string {
  return JSON.stringify([clientId, roomName]);
}

export function writeState({ state, stateAt }: Pick<SharedState, 'state' | 'stateAt'>): string {
  return JSON.stringify({ state, stateAt });
}

/** Reads the state from its field; null for other fields. */
export function readState(name: string, text: string): SharedState | null {
  if (!name.startsWith(BEGINNING)) return null;
  const names = readJson(name)?.value;
  if (!isTexts(names)) return null;
  const [clientId, roomName] = names;
  const state = { ...readObject(text), clientId, roomName };
  return isState(state) ? state : null;
}

/** The membership with another state. */
export function withState(
  membership: SharedMembership,
  { state, stateAt }: Pick<SharedState, 'state' | 'stateAt'>,
): SharedMembership {
  const { presence } = membership;
  return presence ? { ...membership, presence: { ...presence, state, stateAt } } : membership;
}

/** The membership as it is in the client's record. */
export function withoutState(membership: SharedMembership): SharedMembership {
  return membership.presence?.stateAt === undefined ? membership : withState(membership, {});
}

/** The client's record as it is in Redis. */
export function withoutStates(record: ClientRecord): ClientRecord {
  return { ...record, rooms: record.rooms.map(withoutState) };
}
