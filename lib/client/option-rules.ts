import { surroundings } from './surroundings.js';
import { badOption } from './websocket-client.error.js';

/** What an option has to be: in words, and as a test; and what options it may hold. */
type Rule = readonly [allowed: string, isMet: (value: unknown) => boolean, inner?: Rules];
type Rules = Readonly<Partial<Record<string, Rule>>>;

const OBJECT: Rule = ['an object', (value) => typeof value === 'object' && value !== null];
const FUNCTION: Rule = ['a function', (value) => typeof value === 'function'];
/** A time in ms, or a number of things. */
const NUMBER: Rule = ['a number above 0', isTime];

const RULES: Rules = {
  url: ['a ws, wss, http or https url', (value) => urlOf(value as string) !== undefined],
  protocol: either('pxl', 'event'),
  server: either('other'),
  webSocket: FUNCTION,
  getToken: FUNCTION,
  tokenTo: either('protocol', 'query', 'message'),
  tokenPatience: NUMBER,
  connectTimeout: NUMBER,
  reconnect: orElse(OBJECT, false, { minDelay: NUMBER, maxDelay: NUMBER, attempts: orElse(NUMBER, Infinity) }),
  requestTimeout: orElse(NUMBER, false),
  queue: orElse(OBJECT, false, { limit: NUMBER, policy: either('dropOldest', 'dropNewest') }),
  heartbeat: orElse(OBJECT, false, { interval: NUMBER, timeout: NUMBER }),
  pageLifecycle: either(true, false),
  events: OBJECT,
  encryption: OBJECT,
};

/** A time that a timer can be set to. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < 2 ** 31;
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
    const [allowed, isMet, inner] = rule;
    if (value === undefined && name !== 'url') continue;
    // Without what was given: that may be a token, or a url with a password in it.
    if (!isMet(value)) throw badOption(`The option ${name} has to be ${allowed}.`);
    if (inner && value) checkOptions(value, inner, `${name}.`);
  }
}

function either(...values: readonly unknown[]): Rule {
  return [values.join(' or '), (value) => values.includes(value)];
}

function orElse([allowed, isMet]: Rule, other: unknown, inner?: Rules): Rule {
  return [`${allowed} or ${String(other)}`, (value) => value === other || isMet(value), inner];
}
