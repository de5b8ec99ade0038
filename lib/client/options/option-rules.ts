import { isObject } from '../messages/frame-fields.js';
import { surroundings } from './surroundings.js';
import { badOption } from '../websocket-client.error.js';

/** The allowed values of each option: literal values or {@link KINDS}. */
type Rules = Readonly<Partial<Record<string, readonly unknown[]>>>;

const FUNCTION = 'a function';
/** The rule for times in ms and for counts. */
const NUMBER = 'a number above 0';
const OBJECT = 'an object';

const KINDS: Readonly<Partial<Record<string, (value: unknown) => boolean>>> = {
  [FUNCTION]: (value) => typeof value === 'function',
  [NUMBER]: isTime,
  [OBJECT]: isObject,
};

/** The rules of all options but `url`. */
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
  positions: [OBJECT],
  events: [OBJECT],
};

/** The rules of nested options. */
const INNER: Readonly<Partial<Record<string, Rules>>> = {
  reconnect: { minDelay: [NUMBER], maxDelay: [NUMBER], attempts: [NUMBER, Infinity] },
  queue: { limit: [NUMBER], policy: ['dropOldest', 'dropNewest'] },
  heartbeat: { interval: [NUMBER], timeout: [NUMBER] },
};

/** Whether the value is a time that a timer takes. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 2e9;
}

/** The url for the socket; undefined when it is not a url. */
export function urlOf(given: string | URL | undefined): string | undefined {
  try {
    if (!given) return undefined;
    const url = new URL(given, surroundings.location?.href);
    url.protocol = url.protocol.replace('http', 'ws');
    // Sockets refuse a fragment, which means nothing to a server.
    url.hash = '';
    return url.protocol.startsWith('ws') ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** @throws WebSocketClientError BAD_OPTION for the first option that is wrong or unknown */
export function checkOptions(given: object, rules = RULES, prefix = ''): void {
  for (const [key, value] of Object.entries(given) as [string, unknown][]) {
    const name = prefix + key;
    const rule = Object.hasOwn(rules, key) && rules[key];
    if (!rule) throw badOption(`There is no option ${name}.`);
    if (value === undefined) continue;
    const isMet = rule.some((allowed) => KINDS[String(allowed)]?.(value) ?? value === allowed);
    // The message does not contain the given value, which may be a token or a url with a password.
    if (!isMet) throw badOption(`The option ${name} has to be ${rule.join(' or ')}.`);
    const inner = INNER[name];
    if (inner && value) checkOptions(value, inner, `${name}.`);
  }
}
