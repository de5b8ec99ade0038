import type { Revocation } from '../../auth/tokens/revocations.interface.js';
import { isObject, isText, isTexts } from '../../cluster/bus/json-text.js';
import type { MembershipSubject } from '../../rooms/reauthorizations.js';

/**
 * What one worker has the others do. Commands travel as JSON in an envelope of the kind `command`; their shape stays, since
 * workers of the previous version run beside this one.
 */
export type ClusterCommand = ClientCommand | WorkerCommand;

/** A command for each client of the envelope's target. */
export type ClientCommand =
  /** Closes the connection. */
  | { readonly name: 'disconnect'; readonly code: number; readonly reason: string }
  /** Takes the client out of rooms. `broadcast: false`: the client list is not pushed for it. */
  | { readonly name: 'leave'; readonly rooms: readonly string[] | 'all'; readonly broadcast?: boolean | undefined }
  /** Sets one key of the client's metadata. */
  | { readonly name: 'update'; readonly key: string; readonly data: unknown }
  /** Sets the client's state in a room with presence, if it is in it; null: none. */
  | { readonly name: 'state'; readonly roomName: string; readonly state: unknown };

/** A command for each worker as a whole. */
export type WorkerCommand =
  /** Pushes the client list to the worker's clients. */
  | { readonly name: 'listWanted'; readonly event?: string | undefined }
  /** The room is now the own room of a client: clients that asked to join it are taken out. */
  | { readonly name: 'vacate'; readonly roomName: string }
  /** The room's history was cleared, which begins a new epoch. */
  | { readonly name: 'checkHistory'; readonly roomName: string }
  /** The rules of rooms are asked again about these memberships. */
  | { readonly name: 'reauthorize'; readonly subject: MembershipSubject }
  /** Ends the connections of revoked tokens. An infinite time is null on the wire, as JSON has no infinity. */
  | ({ readonly name: 'revoke' } & Revocation);

/** Reads a command that came from the bus; null for one of another shape, or that this version does not know. */
export function readCommand(value: unknown): ClusterCommand | null {
  if (!isObject(value)) return null;
  switch (value.name) {
    case 'disconnect': {
      const { name, code, reason } = value;
      return typeof code === 'number' && isText(reason) ? { name, code, reason } : null;
    }
    case 'leave': {
      const { name, rooms, broadcast } = value;
      if (rooms !== 'all' && !isTexts(rooms)) return null;
      return broadcast === undefined || typeof broadcast === 'boolean' ? { name, rooms, broadcast } : null;
    }
    case 'update': {
      const { name, key, data } = value;
      return isText(key) ? { name, key, data } : null;
    }
    case 'state': {
      const { name, roomName, state } = value;
      return isText(roomName) ? { name, roomName, state } : null;
    }
    case 'listWanted': {
      const { name, event } = value;
      return event === undefined || isText(event) ? { name, event } : null;
    }
    case 'vacate':
    case 'checkHistory': {
      const { name, roomName } = value;
      return isText(roomName) ? { name, roomName } : null;
    }
    case 'reauthorize': {
      const subject = readMembershipSubject(value.subject);
      return subject && { name: value.name, subject };
    }
    case 'revoke': {
      const [subject, before, until] = [readSubject(value.subject), readTime(value.before), readTime(value.until)];
      return subject && before !== null && until !== null ? { name: value.name, subject, before, until } : null;
    }
    default:
      return null;
  }
}

function readSubject(value: unknown): Revocation['subject'] | null {
  if (!isObject(value)) return null;
  const { kind, userId, id } = value;
  if (kind === 'user' && isText(userId)) return { kind, userId };
  return kind === 'token' && isText(id) ? { kind, id } : null;
}

function readMembershipSubject(value: unknown): MembershipSubject | null {
  if (!isObject(value)) return null;
  const { kind, userId, roomName } = value;
  if (kind === 'user' && isText(userId)) return { kind, userId };
  return kind === 'room' && isText(roomName) ? { kind, roomName } : null;
}

function readTime(value: unknown): number | null {
  if (value === null || value === undefined) return Infinity;
  return typeof value === 'number' ? value : null;
}
