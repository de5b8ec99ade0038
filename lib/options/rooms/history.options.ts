import { PxlWebSocketOptionsError } from '../../errors/start-up.errors.js';
import { workerOf } from '../../runtime/client-id.js';
import { isClass } from '../checks/class-checks.js';
import { isGroup, OptionChecks } from '../checks/option-checks.js';
import { remembered } from './remembered-rule.js';
import { readRoomKey } from '../../ws-client/room-key.js';

/** Milliseconds: an hour, the shortest `metaTtl`. */
const HOUR = 3_600_000;
/** Milliseconds: seven days, the default of `metaTtl`. */
const WEEK = 604_800_000;
const MOST_MESSAGES = 10_000;

/** How much of a room's history is kept. */
export interface WsRoomHistoryOptions {
  /** The most messages that are kept: 1 to 10 000. */
  size: number;
  /** Milliseconds after a room's last message for which its messages are kept. */
  ttl: number;
  /**
   * Milliseconds after a room's last use for which its numbering is kept: at least an hour and at least `ttl`. Default:
   * 604 800 000, seven days.
   */
  metaTtl?: number | undefined;
}

/**
 * What is kept of a room; null: nothing, the room has no history. The answer is the same on every worker. The namespace is
 * that of `rooms.namespace`; undefined for a room in none.
 */
export type WsHistoryOfRoom = (roomName: string, namespace: string | undefined) => WsRoomHistoryOptions | null;

/** What is common to all rooms with history. */
export interface WsHistoryCommonOptions {
  /** Bounds of what a client gets when it returns. */
  replay?: WsReplayOptions | undefined;
  /**
   * With Redis: `'ignore'` does not notice when another server becomes the master, for servers that do not allow INFO in
   * scripts. What the former master had not passed on may be missing then without a word. Default: `'epoch'`, a new
   * epoch begins.
   */
  failover?: 'epoch' | 'ignore' | undefined;
}

/** Bounds of what a client gets when it returns. */
export interface WsReplayOptions {
  /** Bytes that a connection can get in all its rooms together; over it the reason is `limit`. Default: 4 194 304. */
  bytes?: number | undefined;
}

/** Which rooms have history. */
export type WsHistoryOption =
  | (WsRoomHistoryOptions & WsHistoryCommonOptions)
  | ({ of: WsHistoryOfRoom } & WsHistoryCommonOptions)
  | WsHistoryOfRoom;

/** How much of a room's history is kept, with the defaults in place. */
export type WsRetention = Readonly<Required<WsRoomHistoryOptions & { metaTtl: number }>>;

export interface ResolvedHistory {
  /**
   * By the key of the room.
   *
   * @throws PxlWebSocketOptionsError when the application's function answers what is no history
   */
  readonly of: (key: string) => WsRetention | null;
  readonly replayBytes: number;
  /** Whether another master begins a new epoch. */
  readonly seesFailover: boolean;
}

/**
 * @param areSpaced whether rooms may be in namespaces
 * @returns undefined when no room has history
 */
export function resolveHistory(checks: OptionChecks, areSpaced: boolean): ResolvedHistory | undefined {
  const given = checks.raw('history');
  if (given === undefined) return undefined;
  const isRule = typeof given === 'function' && !isClass(given);
  if (!isRule && !isGroup(given)) checks.refuse('history', 'an object with size and ttl, or a function');
  const group = new OptionChecks(`${checks.name}.history`.replace(/^\./, ''), isRule ? { of: given } : given);
  const of = group.callback('of') as WsHistoryOfRoom | undefined;
  const common = {
    replayBytes: group.inGroup('replay', (replay) => ({ bytes: replay.integer('bytes', 4_194_304, 1) })).bytes,
    seesFailover: group.oneOf('failover', ['epoch', 'ignore']) === 'epoch',
  };
  const same = of ? null : resolveRetention(group);
  group.finish();
  return Object.freeze({ ...common, of: of ? remembered((key) => retentionOf(of, key, areSpaced)) : ofAllBut(same) });
}

/** All rooms alike, but for the own rooms of clients (`rooms.own`): these end with their connection. */
function ofAllBut(same: WsRetention | null): ResolvedHistory['of'] {
  return (roomName) => (workerOf(roomName) === undefined ? same : null);
}

function retentionOf(of: WsHistoryOfRoom, key: string, areSpaced: boolean): WsRetention | null {
  const { roomName, namespace } = readRoomKey(key, areSpaced);
  const answer: unknown = of(roomName, namespace);
  if (answer === null) return null;
  if (!isGroup(answer))
    throw new PxlWebSocketOptionsError('The function rooms.history answers { size, ttl }, or null.');
  const group = new OptionChecks('rooms.history()', answer);
  const retention = resolveRetention(group);
  group.finish();
  return retention;
}

function resolveRetention(group: OptionChecks): WsRetention {
  if (group.raw('size') === undefined || group.raw('ttl') === undefined) {
    throw new PxlWebSocketOptionsError(
      `The option ${group.name} has size and ttl: how many messages are kept, how long.`,
    );
  }
  const size = group.integer('size', 0, 1);
  if (size > MOST_MESSAGES) group.refuse('size', `a whole number from 1 to ${MOST_MESSAGES}`);
  const ttl = group.time('ttl', 0, 1_000);
  const metaTtl = group.time('metaTtl', Math.max(WEEK, ttl), Math.max(HOUR, ttl));
  return Object.freeze({ size, ttl, metaTtl });
}
