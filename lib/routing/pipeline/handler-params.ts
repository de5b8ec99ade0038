import type { WsClient } from '../../ws-client/ws-client.js';
import { CUSTOM_ROUTE_ARGS_METADATA, type ParamProperties } from './nest-internals.js';
import { ackOf, type Method, type Param } from './pipeline-steps.js';

/** The kinds of parameters that Nest's own decorators write; anything else in `__routeArguments__` is a custom one. */
export const SOCKET = 0;
export const PAYLOAD = 3;
export const ACK = 13;
/** Those of `@nestjs/common` that a connection has as well. */
export const QUERY = 4;
export const PARAM = 5;

/** The kinds of parameters that hold what a client has sent. */
export const FROM_CLIENT: ReadonlySet<unknown> = new Set([PAYLOAD, PARAM, QUERY]);

/** The parameters of a method by `<kind>:<index>`, as their decorators wrote them. */
export type ParamsMetadata = Record<string, ParamProperties & { factory?: Method }>;

/** A client of a server, with its upgrade request. */
type Connected = Pick<WsClient, 'request'>;

const param = (index: number): { index: number; data: undefined; pipes: [] } => ({ index, data: undefined, pipes: [] });

/** An undecorated handler gets `(client, data)`. */
export const UNDECORATED = { [`${SOCKET}:0`]: param(0), [`${PAYLOAD}:1`]: param(1) };

/** Adds the client as the first parameter when that has no decorator and no other parameter is the client. */
export function withClient<Param extends { readonly index: number }>(
  decorated: Readonly<Record<string, Param>>,
): Readonly<Record<string, Param | ReturnType<typeof param>>> {
  const isTaken = Object.values(decorated).some(({ index }) => index === 0);
  const hasClient = Object.keys(decorated).some((key) => key.startsWith(`${SOCKET}:`));
  return isTaken || hasClient ? decorated : { ...decorated, [`${SOCKET}:0`]: param(0) };
}

/**
 * The warning about parameters of a method that will be undefined; undefined when there are none.
 *
 * @param source `Class.method`
 * @param params the parameters that get a value
 * @param length how many the method declares before the first one with a default value
 * @param isDecorated whether any of them has a decorator
 */
export function unknownParams(
  source: string,
  params: readonly { readonly index: number }[],
  length: number,
  isDecorated: boolean,
): string | undefined {
  const known = new Set(params.map(({ index }) => index));
  const unknown = Array.from({ length }, (_, index) => index).filter((index) => !known.has(index));
  if (unknown.length === 0) return undefined;
  const places = unknown.map((index) => index + 1).join(' and ');
  const which = `parameter${unknown.length > 1 ? 's' : ''} ${places} of ${source}`;
  const rule = isDecorated
    ? 'beside decorated parameters only the first may have no decorator, and is the client where no other is'
    : 'a handler without decorators gets (client, data), its second parameter is the data';
  return `Nothing is known of ${which}, which will be undefined: ${rule}.`;
}

/** The kind of a parameter: a number for Nest's own decorators, a text for custom ones. */
export function kindOf(key: string): number | string {
  const [kind = ''] = key.split(':');
  return key.includes(CUSTOM_ROUTE_ARGS_METADATA) ? kind : Number(kind);
}

/** Where a parameter of one of Nest's own decorators comes from. */
export function extractorOf(kind: unknown, property: unknown): Param['extract'] {
  if (kind === SOCKET) return ([client]) => client;
  if (kind === ACK) return ackOf;
  if (kind === PARAM) return ([client]) => partOf((client as Connected).request.params, property);
  if (kind === QUERY) return ([client]) => partOf((client as Connected).request.query, property);
  if (kind === PAYLOAD) return ([, data]) => partOf(data, property);
  return () => null;
}

/** A property of a value, or all of it where the decorator names none. */
function partOf(value: unknown, property: unknown): unknown {
  if (typeof property !== 'string' || property === '') return value;
  return (value as Record<string, unknown> | null | undefined)?.[property];
}
