import { describe } from './option-checks.js';

/** Longer texts are cut in messages. */
const LONGEST = 80;
const OF_PATTERN = 'give a function, origins: (origin) => boolean';

/** What the message says of an entry of `origins` that no browser would ever send: what it is, and what to write. */
export function originRemedy(given: unknown): string {
  if (Object.prototype.toString.call(given) === '[object RegExp]') return `a pattern: ${OF_PATTERN}`;
  if (typeof given !== 'string' || given === '') return describe(given);
  if (given === '*') return "'*': write origins: '*', without a list";
  if (given === 'null') return `'null', which pages without an origin send: ${OF_PATTERN}`;
  if (given.includes('*')) return `${shown(given)}: ${OF_PATTERN}`;
  const meant = originAs(given);
  if (meant === undefined) return shown(given);
  const reason = reasonOf(given, meant);
  return `${shown(given)}: write '${meant}'${reason === undefined ? '' : `, ${reason}`}`;
}

/** The origin that a text was meant to be; undefined where none can be seen in it. */
export function originAs(given: unknown): string | undefined {
  if (typeof given !== 'string' || given.includes('*')) return undefined;
  const text = given.trim();
  if (!hasScheme(text)) return originOf(`${/^(?:localhost|127\.|\[)/i.test(text) ? 'http' : 'https'}://${text}`);
  if (/^(?:https?|wss?):/i.test(text)) return originOf(text.replace(/^ws/i, 'http'));
  // Of an application's own scheme, whose host keeps its letters.
  return /^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+/.exec(text)?.[0];
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) && !/\s/.test(url) ? new URL(url).origin : undefined;
}

function hasScheme(text: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text);
}

function reasonOf(given: string, meant: string): string | undefined {
  if (!hasScheme(given.trim())) return 'with the scheme';
  if (given.includes('@')) return 'without a name and a password';
  if (given === `${meant}/`) return 'without the slash';
  const { pathname, search, hash, protocol } = new URL(given.trim());
  if (protocol.startsWith('ws')) return 'the origin of the page';
  if (pathname.length > 1 || search !== '' || hash !== '') return 'without a path';
  return /:\d+\/?$/.test(given) && !/:\d+$/.test(meant) ? 'without the default port' : undefined;
}

/** An entry is no secret, unless it holds a name and a password. */
function shown(given: string): string {
  return given.includes('@') ? 'a text' : JSON.stringify(given.slice(0, LONGEST));
}
