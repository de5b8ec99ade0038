import type { WsNumberedMessage, WsPosition } from '../../history/room-store.interface.js';
import type { WsTraceContext } from '../../tracing/trace-context.js';
import { choiceOf, isId, VERSION, type WsEnvelopeOrigin } from './envelope-text.js';
import { isTexts, readObject } from './json-text.js';

// The text of an envelope with a message for a room with history has two parts, before which Redis puts the number: what is the
// same for all messages of a sender, a room and a moment, and the entry, which Redis keeps.

/** Kept entries without exclusions begin so: most do, and need not be parsed. */
const PLAIN = '"is":"message"}\n';

const NOBODY: readonly string[] = [];

/**
 * The first part.
 *
 * @param trace that of all messages which begin so
 */
export function writeBeginning(roomName: string, { origin, sentAt }: WsEnvelopeOrigin, trace?: WsTraceContext): string {
  return `${JSON.stringify({ v: VERSION, from: origin, at: sentAt, to: ['rooms', roomName], ...trace }).slice(1, -1)},`;
}

/** The second part. */
export function writeEntry({ text, exclude, excludeUsers, excludeRooms, copy }: WsNumberedMessage): string {
  const not = exclude.length > 0 ? exclude : undefined;
  const header = JSON.stringify({ not, notUsers: excludeUsers, notIn: excludeRooms, copy, is: 'message' });
  return `${header.slice(1)}\n${text}`;
}

/** The whole text with its number, as Redis publishes it. */
export function numberedText(beginning: string, entry: string, { epoch, offset }: WsPosition): string {
  return `{"n":${JSON.stringify([epoch, offset])},${beginning}${entry}`;
}

/** The whole text without a number, as it is signed. */
export function unnumberedText(beginning: string, entry: string): string {
  return `{${beginning}${entry}`;
}

/** Reads a kept entry of a room; null when it is malformed, or was signed for another room. */
export function readKept(roomName: string, entry: string): WsNumberedMessage | null {
  if (entry.startsWith(PLAIN)) return { text: entry.slice(PLAIN.length), exclude: NOBODY };
  const end = entry.indexOf('\n');
  const line = entry.slice(0, Math.max(0, end));
  const header = readObject(line.startsWith('{') ? line : `{${line}`);
  if (header?.is !== 'message' || !isOfRoom(roomName, header.to)) return null;
  const { not: exclude = NOBODY, notUsers, notIn, copy } = header;
  if (!isTexts(exclude) || (copy !== undefined && !isId(copy))) return null;
  if (!areTextsIfGiven(notUsers) || !areTextsIfGiven(notIn)) return null;
  return { text: entry.slice(end + 1), exclude, ...choiceOf({ notUsers, notIn }), copy };
}

/** Only entries that are signed name their room. */
function isOfRoom(roomName: string, to: unknown): boolean {
  return to === undefined || (isTexts(to) && to.length === 2 && to[0] === 'rooms' && to[1] === roomName);
}

function areTextsIfGiven(names: unknown): names is string[] | undefined {
  return names === undefined || isTexts(names);
}
