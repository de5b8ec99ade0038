import { WebSocketChannels, WebSocketMessageTypes } from '../../protocol/ignis-constants.js';
import { eventCodec } from '../../protocol/event.codec.js';
import type { WsEventMessage } from '../../protocol/messages.js';
import { workerOf } from '../../runtime/client-id.js';
import type { WsEnvelope, WsTarget } from './envelope.js';
import { isTexts, readObject } from './json-text.js';

/** A message for clients, as servers and emitters of Ignis publish it. */
export interface IgnisMessage {
  /** The publisher: a server's own id, or the id that all emitters share. */
  readonly serverId: string;
  readonly target: WsTarget;
  readonly exclude: readonly string[];
  readonly message: WsEventMessage;
}

/** One publication. A message for several rooms, users or clients takes one publication for each. */
export type IgnisPublication = readonly [channel: string, text: string];

/** The part that differs between the publications of one message. */
interface Address {
  readonly channel: string;
  readonly type: string;
  readonly target?: string;
}

/** Reads a publication of Ignis; null for anything that a server of Ignis would not deliver. Never throws. */
export function readIgnisMessage(text: string): IgnisMessage | null {
  const { serverId, type, target, event, data, exclude } = readObject(text) ?? {};
  const addressed = targetOf(type, target);
  const excluded = exclude ?? [];
  if (!addressed || typeof serverId !== 'string' || !isName(event) || !isTexts(excluded)) return null;
  return { serverId, target: addressed, exclude: excluded, message: { event, data } };
}

/**
 * The publications that make servers of Ignis deliver an envelope to their clients. Empty for an envelope without a message,
 * for clients that only workers of this library can have, and for a message with a filter, which those servers do not know.
 *
 * They can leave out clients alone: of users and rooms only those are left out that are named as the target.
 */
export function publicationsOf(envelope: WsEnvelope, serverId: string): IgnisPublication[] {
  const { exclude, where, content } = envelope;
  if (content.kind !== 'message' || where) return [];
  const addresses = addressesOf(envelope);
  const push = addresses.length === 0 ? undefined : eventCodec.encodePush(JSON.parse(content.text));
  if (push === undefined) return [];
  // Further fields of the push must not replace those of the address.
  const { event, data } = JSON.parse(push) as WsEventMessage;
  const message = JSON.stringify({ event, data }).slice(1);
  const excluded = exclude.length > 0 ? exclude : undefined;
  return addresses.map(({ channel, ...address }) => {
    // The id comes first, so that `openingOf` can recognise it.
    const fields = JSON.stringify({ serverId, ...address, exclude: excluded });
    return [channel, `${fields.slice(0, -1)},${message}`];
  });
}

/** How the text of a publication begins whose sender's id begins with `serverId`. */
export function openingOf(serverId: string): string {
  return JSON.stringify({ serverId }).slice(0, -'"}'.length);
}

function addressesOf({ target, exclude, excludeUsers, excludeRooms }: WsEnvelope): readonly Address[] {
  const { BROADCAST, CLIENT, ROOM, USER } = WebSocketMessageTypes;
  switch (target.kind) {
    case 'everybody':
      return [{ channel: WebSocketChannels.BROADCAST, type: BROADCAST }];
    case 'rooms':
      return each(without(target.roomNames, excludeRooms), ROOM, (room) => WebSocketChannels.forRoom({ room }));
    case 'users':
      return each(without(target.userIds, excludeUsers), USER, (userId) => WebSocketChannels.forUser({ userId }));
    case 'clients': {
      const theirs = without(target.clientIds, exclude).filter((id) => workerOf(id) === undefined);
      return each(theirs, CLIENT, (clientId) => WebSocketChannels.forClient({ clientId }));
    }
    default:
      return []; // workers and subscribers are no clients
  }
}

function without(names: readonly string[], excluded: readonly string[] | undefined): readonly string[] {
  return excluded ? names.filter((name) => !excluded.includes(name)) : names;
}

function each(names: readonly string[], type: string, channelOf: (name: string) => string): Address[] {
  return [...new Set(names)].filter(isName).map((target) => ({ channel: channelOf(target), type, target }));
}

function targetOf(type: unknown, target: unknown): WsTarget | null {
  if (type === WebSocketMessageTypes.BROADCAST) return { kind: 'everybody' };
  if (!isName(target)) return null;
  switch (type) {
    case WebSocketMessageTypes.ROOM:
      return { kind: 'rooms', roomNames: [target] };
    case WebSocketMessageTypes.USER:
      return { kind: 'users', userIds: [target] };
    case WebSocketMessageTypes.CLIENT:
      return { kind: 'clients', clientIds: [target] };
    default:
      return null;
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
