import { isCallback } from '../callbacks.js';
import { Node } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';

/** What an event's arguments become. */
export interface EventArguments {
  readonly event: string;
  /** Undefined: none. */
  readonly data: string | undefined;
  /** The function that takes the acknowledgement. */
  readonly callback: Node | undefined;
  /** What was spread has become the data as it is. */
  readonly isUnsure: boolean;
}

/** Takes the arguments of an `emit` apart: several of them become one list. */
export function readArguments(given: readonly Node[], file: GatewayFile): EventArguments | undefined {
  const [name, ...rest] = given;
  if (!name || Node.isSpreadElement(name)) return undefined;
  const last = rest.at(-1);
  const callback = isCallback(last) ? last : undefined;
  const data = callback ? rest.slice(0, -1) : rest;
  const [only] = data;
  const isSpread = data.length === 1 && Node.isSpreadElement(only);
  const texts = data.map((one) => file.text(one));
  return {
    event: file.text(name),
    data: isSpread ? file.text(only.getExpression()) : texts.length > 1 ? `[${texts.join(', ')}]` : texts[0],
    callback,
    isUnsure: isSpread,
  };
}

/** `{ event: 'hello', data }`. */
export function messageText({ event, data }: Pick<EventArguments, 'event' | 'data'>): string {
  const first = event === 'event' ? 'event' : `event: ${event}`;
  if (data === undefined) return `{ ${first} }`;
  return `{ ${first}, ${data === 'data' ? 'data' : `data: ${data}`} }`;
}
