import type { WsNumberedMessage, WsPosition } from '../../history/room-store.interface.js';
import { isId, VERSION, type WsEnvelopeOrigin } from './envelope-text.js';
import { isTexts, readObject } from './json-text.js';

/**
 * The text of an envelope with a message for a room with history, in two parts, before which Redis puts the number. The second
 * one, which says nothing about the time and the sender, is kept as well.
 */
export interface NumberedText {
  readonly head: string;
  readonly tail: string;
}

/** Kept entries without exclusions begin so: most do, and need not be parsed. */
const PLAIN = '{"is":"message"}\n';

const NOBODY: readonly string[] = [];

export function writeNumbered(
  roomName: string,
  { text, exclude, copy }: WsNumberedMessage,
  { origin, sentAt }: WsEnvelopeOrigin,
): NumberedText {
  const head = JSON.stringify({ v: VERSION, from: origin, at: sentAt, to: ['rooms', roomName] });
  const tail = JSON.stringify({ not: exclude.length > 0 ? exclude : undefined, copy, is: 'message' });
  return { head: `${head.slice(1, -1)},`, tail: `${tail.slice(1)}\n${text}` };
}

/** The whole text of an envelope with its number, as Redis publishes it. */
export function numberedText({ head, tail }: NumberedText, { epoch, offset }: WsPosition): string {
  return `{"n":${JSON.stringify([epoch, offset])},${head}${tail}`;
}

/** The whole text of an envelope without its number, as it is signed. */
export function unnumberedText({ head, tail }: NumberedText): string {
  return `{${head}${tail}`;
}

/** Reads a kept entry of a room; null when it is malformed, or was signed for another room. */
export function readKept(roomName: string, entry: string): WsNumberedMessage | null {
  if (entry.startsWith(PLAIN)) return { text: entry.slice(PLAIN.length), exclude: NOBODY };
  const end = entry.indexOf('\n');
  const header = end < 0 ? null : readObject(entry.slice(0, end));
  if (header?.is !== 'message' || !isOfRoom(roomName, header.to)) return null;
  const { not: exclude = NOBODY, copy } = header;
  if (!isTexts(exclude) || (copy !== undefined && !isId(copy))) return null;
  return { text: entry.slice(end + 1), exclude, copy };
}

/** Only entries that are signed name their room. */
function isOfRoom(roomName: string, to: unknown): boolean {
  return to === undefined || (isTexts(to) && to.length === 2 && to[0] === 'rooms' && to[1] === roomName);
}
