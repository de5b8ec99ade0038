import { surroundings } from './surroundings.js';
import { badOption } from './websocket-client.error.js';

/** What an option has to be: in words, and as a test. */
type Rule = readonly [allowed: string, isMet: (value: unknown) => boolean];

const OBJECT: Rule = ['an object', (value) => typeof value === 'object' && value !== null];
const FUNCTION: Rule = ['a function', (value) => typeof value === 'function'];
/** A time in ms, or a number of things. */
const NUMBER: Rule = ['a number above 0', isTime];
/** Options within an option. */
const GROUP = orElse(OBJECT, false);

const RULES: Readonly<Partial<Record<string, Rule>>> = {
  url: ['a ws, wss, http or https url', (value) => urlOf(value as string) !== undefined],
  protocol: either('pxl', 'event'),
  webSocket: FUNCTION,
  getToken: FUNCTION,
  tokenTo: either('protocol', 'query', 'message'),
  connectTimeout: NUMBER,
  reconnect: GROUP,
  'reconnect.minDelay': NUMBER,
  'reconnect.maxDelay': NUMBER,
  'reconnect.attempts': orElse(NUMBER, Infinity),
  requestTimeout: orElse(NUMBER, false),
  queue: GROUP,
  'queue.limit': NUMBER,
  'queue.policy': either('dropOldest', 'dropNewest'),
  heartbeat: GROUP,
  'heartbeat.interval': NUMBER,
  'heartbeat.timeout': NUMBER,
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
export function checkOptions(given: object, prefix = ''): void {
  for (const [key, value] of Object.entries(given) as [string, unknown][]) {
    const name = prefix + key;
    const rule = !key.includes('.') && Object.hasOwn(RULES, name) && RULES[name];
    if (!rule) throw badOption(`There is no option ${name}.`);
    const [allowed, isMet] = rule;
    if (value === undefined && name !== 'url') continue;
    // Without what was given: that may be a token, or a url with a password in it.
    if (!isMet(value)) throw badOption(`The option ${name} has to be ${allowed}.`);
    if (rule === GROUP) checkOptions(Object(value) as object, `${name}.`);
  }
}

function either(...values: readonly string[]): Rule {
  return [values.join(' or '), (value) => values.some((allowed) => allowed === value)];
}

function orElse([allowed, isMet]: Rule, other: unknown): Rule {
  return [`${allowed} or ${String(other)}`, (value) => value === other || isMet(value)];
}
