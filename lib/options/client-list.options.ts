import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { describeWord, type OptionChecks } from './checks/option-checks.js';

export interface WsClientListOptions {
  /**
   * True: clients may ask for the list of all clients (`system.clientList`), and it is pushed to all of them when it
   * changes, at most once a second. Default: false.
   */
  enabled?: boolean | undefined;
  /**
   * What the list tells of each client, and nothing else: `clientId`, `userId`, `userType`, `username`, `rooms`,
   * `roomName`, `connectedAt`, `lastActivity`, `workerId`, `user.payload.<claim>`, `metadata.<key>`.
   * Default: `['clientId', 'userId', 'username', 'rooms']`.
   */
  fields?: readonly string[] | undefined;
}

export interface ResolvedClientList {
  readonly enabled: boolean;
  readonly fields: readonly string[];
}

/** What the list tells of rooms. */
const OF_ROOMS = ['rooms', 'roomName'];
const LISTED = ['clientId', 'userId', 'username', 'rooms'];
const LISTABLE = [...LISTED, 'userType', 'roomName', 'connectedAt', 'lastActivity', 'workerId'];

export function resolveClientList(list: OptionChecks): ResolvedClientList {
  const fields = list.texts('fields', LISTED);
  const isListable = (field: unknown): field is string =>
    LISTABLE.some((one) => one === field) || /^(?:user\.payload|metadata)\../.test(String(field));
  const allowed = `of ${LISTABLE.join(', ')}, user.payload.<claim> and metadata.<key>`;
  list.every('fields', fields, isListable, allowed, (field) => describeWord(field, LISTABLE));
  return { enabled: list.boolean('enabled', false), fields: Object.freeze([...fields]) };
}

/**
 * @param areSpaced whether rooms may be in namespaces
 * @throws PxlWebSocketOptionsError where the list would tell of the rooms of all namespaces: all clients get the same
 */
export function checkListedRooms({ enabled, fields }: ResolvedClientList, areSpaced: boolean): void {
  const told = fields.find((field) => OF_ROOMS.includes(field));
  if (!enabled || !areSpaced || told === undefined) return;
  throw new PxlWebSocketOptionsError(
    `The option clientList.fields has no ${told} where there is rooms.namespace: all clients get the same list.`,
  );
}
