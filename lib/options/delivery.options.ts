import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { readRoomKey } from '../ws-client/room-key.js';
import { isClass } from './checks/class-checks.js';
import type { OptionChecks } from './checks/option-checks.js';
import { remembered } from './rooms/remembered-rule.js';

/** Milliseconds of the longest window: what waits longer is better sent less often. */
const LONGEST_WINDOW = 10_000;

/**
 * The window of a room, in ms. The answer for a room is always the same. The namespace is that of `rooms.namespace`; undefined for a
 * room in none.
 */
export type WsWindowOfRoom = (roomName: string, namespace: string | undefined) => number;

export interface WsDeliveryOptions {
  /**
   * Milliseconds for which messages to rooms, and broadcasts, may wait for each other on their way to a client. The first one after
   * a silence leaves at once; those within the window behind it leave together at its end, in one write. Replies, and what is
   * sent to single clients and users, never wait, and take along what does. A whole number from 0 to 10 000, or a function of
   * the room, which leaves broadcasts without. Default: 0, what is sent in one turn of the event loop leaves at its end.
   */
  window?: number | WsWindowOfRoom | undefined;
  /**
   * Milliseconds up to which windows grow by themselves, while this process or a client's network does not keep up. No window is
   * shorter than its `window` for that. Default: 100.
   */
  maxWindow?: number | undefined;
}

export interface ResolvedDelivery {
  /** Of broadcasts, and of rooms that `windowOf` does not tell. */
  readonly window: number;
  /**
   * By the key of the room; null: all have the same window.
   *
   * @throws Error when the application's function does, or answers no window
   */
  readonly windowOf: ((key: string) => number) | null;
  readonly maxWindow: number;
}

/** @param areSpaced whether rooms may be in namespaces */
export function resolveDelivery(delivery: OptionChecks, areSpaced: boolean): ResolvedDelivery {
  const window = delivery.raw('window');
  const given = window === undefined ? 0 : window;
  const maxWindow = delivery.integer('maxWindow', 100, 0);
  if (maxWindow > LONGEST_WINDOW) delivery.refuse('maxWindow', `a whole number from 0 to ${LONGEST_WINDOW}`);
  if (typeof given === 'function' && !isClass(given)) {
    const of = delivery.callback('window') as WsWindowOfRoom;
    return { window: 0, windowOf: remembered((key) => windowOf(of, key, areSpaced)), maxWindow };
  }
  if (!isWindow(given)) delivery.refuse('window', `a whole number from 0 to ${LONGEST_WINDOW}, or a function`);
  return { window: given, windowOf: null, maxWindow };
}

function windowOf(of: WsWindowOfRoom, key: string, areSpaced: boolean): number {
  const { roomName, namespace } = readRoomKey(key, areSpaced);
  const answer: unknown = of(roomName, namespace);
  if (isWindow(answer)) return answer;
  throw new PxlWebSocketOptionsError(
    `The function delivery.window answers a whole number of ms from 0 to ${LONGEST_WINDOW}.`,
  );
}

function isWindow(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LONGEST_WINDOW;
}
