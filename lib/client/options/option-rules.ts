import { surroundings } from './surroundings.js';
import { badOption } from '../websocket-client.error.js';

/** What an option may be: one of these values, or of these {@link KINDS}. */
type Rules = Readonly<Partial<Record<string, readonly unknown[]>>>;

const FUNCTION = 'a function';
/** A time in ms, or a number of things. */
const NUMBER = 'a number above 0';
const OBJECT = 'an object';

const KINDS: Readonly<Partial<Record<string, (value: unknown) => boolean>>> = {
  [FUNCTION]: (value) => typeof value === 'function',
  [NUMBER]: isTime,
  [OBJECT]: (value) => typeof value === 'object' && value !== null,
};

/** All but the url's. */
const RULES: Rules = {
  protocol: ['event', 'pxl'],
  server: ['other'],
  webSocket: [FUNCTION],
  getToken: [FUNCTION],
  tokenTo: ['protocol', 'query', 'message'],
  tokenPatience: [NUMBER],
  connectTimeout: [NUMBER],
  reconnect: [OBJECT, false],
  requestTimeout: [NUMBER, false],
  queue: [OBJECT, false],
  heartbeat: [OBJECT, false],
  pageLifecycle: [true, false],
  encryption: [OBJECT],
  events: [OBJECT],
};

/** Of the options that hold others. */
const INNER: Readonly<Partial<Record<string, Rules>>> = {
  reconnect: { minDelay: [NUMBER], maxDelay: [NUMBER], attempts: [NUMBER, Infinity] },
  queue: { limit: [NUMBER], policy: ['dropOldest', 'dropNewest'] },
  heartbeat: { interval: [NUMBER], timeout: [NUMBER] },
};

/** A time that a timer can be set to. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 2e9;
}

/** The url of a socket; undefined for what is none. */
export function urlOf(given: string | URL | undefined): string | undefined {
  try {
    if (!given) return undefined;
    const url = new URL(given, surroundings.location?.href);
    url.protocol = url.protocol.replace('http', 'ws');
    // A fragment has no meaning for a server, and sockets refuse it.
    url.hash = '';
    return url.protocol.startsWith('ws') ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** @throws WebSocketClientError BAD_OPTION for the first option that is wrong, or that there is not */
export function checkOptions(given: object, rules = RULES, prefix = ''): void {
  for (const [key, value] of Object.entries(given) as [string, unknown][]) {
    const name = prefix + key;
    const rule = Object.hasOwn(rules, key) && rules[key];
    if (!rule) throw badOption(`There is no option ${name}.`);
    if (value === undefined) continue;
    const isMet = rule.some((allowed) => KINDS[String(allowed)]?.(value) ?? value === allowed);
    // Without what was given: that may be a token, or a url with a password in it.
    if (!isMet) throw badOption(`The option ${name} has to be ${rule.join(' or ')}.`);
    const inner = INNER[name];
    if (inner && value) checkOptions(value, inner, `${name}.`);
  }
}
