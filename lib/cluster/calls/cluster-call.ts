import { WsError } from '../../errors/ws.error.js';
import type { WsRoomUser } from '../../ws-client/client-entry.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { WsTarget } from '../bus/envelope.js';
import { isObject, isText, isTexts } from '../bus/json-text.js';
import { isInspection, isInspectionAnswer, type Inspection, type InspectionAnswer } from './inspection.js';
import { isRecord, type ClientRecord } from '../registry/client-record.js';

/**
 * Everything that one worker asks of others. `name` and `data` travel as JSON in an envelope of the kind `call`; their
 * shape stays, since workers of the previous version run beside this one.
 */
export type ClusterCall =
  /** Asks for nothing but an answer. */
  | { readonly name: 'ping' }
  /** Undoes an earlier call of the same worker; `data` is the id of that call. Nobody waits for the answer. */
  | { readonly name: 'giveUp'; readonly data: string }
  /** Makes the worker write the revocations that it knows into Redis; answered when they are written. */
  | { readonly name: 'shareRevocations'; readonly data: null }
  /** Puts one client into one room. */
  | { readonly name: 'joinRoom'; readonly data: JoinRoomCall }
  /** Puts the worker's clients among the target into rooms; answered when all of them have joined. */
  | { readonly name: 'joinRooms'; readonly data: JoinRoomsCall }
  | { readonly name: 'fetchClients'; readonly data: ClientQuery }
  | { readonly name: 'countClients'; readonly data: ClientQuery }
  /** What a console shows. */
  | { readonly name: 'inspect'; readonly data: Inspection };

/** What each call is answered with. A call that fails is answered with an error code and a sentence instead. */
export interface ClusterAnswers {
  ping: null;
  giveUp: null;
  /** Whether Redis has taken them. */
  shareRevocations: boolean;
  /** Whether the client has joined; false when it has gone. */
  joinRoom: boolean;
  joinRooms: undefined;
  fetchClients: readonly FetchedRecord[];
  countClients: number;
  inspect: InspectionAnswer;
}

/** A call that `ClusterCalls` cannot answer by itself. */
export type AnsweredCall = Exclude<ClusterCall, { name: 'ping' | 'giveUp' }>;

export interface JoinRoomCall {
  readonly clientId: string;
  readonly roomName: string;
  readonly user?: WsRoomUser | null | undefined;
  readonly broadcast?: boolean | undefined;
}

export interface JoinRoomsCall {
  readonly target: Extract<WsTarget, { kind: 'clients' | 'users' }>;
  readonly rooms: readonly string[];
}

/** Which clients are asked for. With both fields: the user's clients in the room; with none: all clients. */
export interface ClientQuery extends WsNamespaced {
  room?: string | undefined;
  userId?: string | number | undefined;
}

/** A client as its worker describes it in the answer to `fetchClients`. */
export interface FetchedRecord extends ClientRecord {
  readonly workerId: string;
  /** In ms since 1970. */
  readonly lastActivity: number;
}

/**
 * Whether a worker undoes the call when its answer comes too late. Whoever was told that a join took too long must not find
 * the client in the room.
 */
export function isUndoable({ name }: ClusterCall): boolean {
  return name === 'joinRoom' || name === 'joinRooms';
}

/**
 * Reads a call that came from the bus.
 *
 * @throws WsError UNKNOWN_ROUTE for a name that this version does not know, BAD_MESSAGE for data of another shape
 */
export function readCall(value: unknown): ClusterCall {
  const { name, data } = isObject(value) ? value : {};
  switch (name) {
    case 'ping':
      return { name };
    case 'giveUp':
      if (isText(data)) return { name, data };
      break;
    case 'shareRevocations':
      return { name, data: null };
    case 'joinRoom':
      if (isJoinRoomCall(data)) return { name, data };
      break;
    case 'joinRooms':
      if (isJoinRoomsCall(data)) return { name, data };
      break;
    case 'fetchClients':
    case 'countClients':
      if (isClientQuery(data)) return { name, data };
      break;
    case 'inspect':
      if (isInspection(data)) return { name, data };
      break;
    default:
      throw new WsError('UNKNOWN_ROUTE', 'This worker does not know the call.');
  }
  throw new WsError('BAD_MESSAGE', `The data of the call ${name} cannot be read.`);
}

const ANSWERS: { readonly [Name in keyof ClusterAnswers]: (answer: unknown) => answer is ClusterAnswers[Name] } = {
  ping: (answer) => answer === null,
  giveUp: (answer) => answer === null,
  shareRevocations: isBoolean,
  joinRoom: isBoolean,
  joinRooms: (answer) => answer === undefined,
  fetchClients: (answer) => Array.isArray(answer) && answer.every(isFetchedRecord),
  countClients: (answer) => typeof answer === 'number',
  inspect: isInspectionAnswer,
};

/** Whether this is an answer to the call with that name. */
export function isAnswerTo<Name extends keyof ClusterAnswers>(
  name: Name,
  answer: unknown,
): answer is ClusterAnswers[Name] {
  return ANSWERS[name](answer);
}

function isJoinRoomCall(data: unknown): data is JoinRoomCall {
  if (!isObject(data)) return false;
  const { clientId, roomName, user, broadcast } = data;
  const isUser = user === undefined || typeof user === 'object';
  return isText(clientId) && isText(roomName) && isUser && (broadcast === undefined || isBoolean(broadcast));
}

function isJoinRoomsCall(data: unknown): data is JoinRoomsCall {
  if (!isObject(data) || !isObject(data.target) || !isTexts(data.rooms)) return false;
  const { kind, clientIds, userIds } = data.target;
  return (kind === 'clients' && isTexts(clientIds)) || (kind === 'users' && isTexts(userIds));
}

function isClientQuery(data: unknown): data is ClientQuery {
  if (!isObject(data)) return false;
  const { room, userId } = data;
  const isUserId = userId === undefined || isText(userId) || typeof userId === 'number';
  return isUserId && (room === undefined || isText(room));
}

function isFetchedRecord(value: unknown): value is FetchedRecord {
  return isRecord(value) && 'workerId' in value && isText(value.workerId) && 'lastActivity' in value;
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
