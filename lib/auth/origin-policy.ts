import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { Injectable } from '@nestjs/common';
import { ErrorReporter } from '../errors/error-reporter.js';
import { kindOf } from '../errors/kind-of.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { WsOrigins } from '../options/access.options.js';
import { isThenable } from '../runtime/thenable.js';

type OriginCheck = Extract<WsOrigins, (...args: never[]) => unknown>;

/** How many logged origins are remembered, so that each is logged once. */
const MOST_LOGGED = 100;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * Decides which pages may connect. Browsers send the page's origin with every upgrade, and cookies too, whichever site has
 * opened it. A request without an origin comes from no browser, and passes.
 */
@Injectable()
export class OriginPolicy {
  readonly #logger = new ModuleLogger();
  readonly #logged = new Set<string>();

  constructor(private readonly errors: ErrorReporter) {}

  /** Whether the upgrade may go on. Throws what the application's own function throws. */
  allows(request: IncomingMessage, origins: WsOrigins | undefined): boolean {
    const { origin } = request.headers;
    if (origin === undefined) return true;
    const isAllowed =
      typeof origins === 'function' ? this.#ask(origins, origin, request) : fits(origin, request, origins);
    if (isAllowed) return true;
    this.#log(origin);
    return false;
  }

  /** Only true itself allows the upgrade: a promise would be truthy. */
  #ask(check: OriginCheck, origin: string, request: IncomingMessage): boolean {
    const answer: unknown = check(origin, request);
    if (typeof answer === 'boolean' || answer === null || answer === undefined) return answer === true;
    const isPromise = isThenable(answer);
    if (isPromise) answer.then(undefined, () => undefined); // otherwise its rejection would be unhandled
    const kind = isPromise ? 'a promise' : kindOf(answer);
    this.errors.report('The option origins failed.', new Error(`It has answered ${kind}, not true or false.`));
    return false;
  }

  #log(origin: string): void {
    if (this.#logged.size >= MOST_LOGGED || this.#logged.has(origin.slice(0, 200))) return;
    this.#logged.add(origin.slice(0, 200));
    const what = `Connections from pages of ${JSON.stringify(origin.slice(0, 200))} are refused: see the option origins.`;
    const last = this.#logged.size === MOST_LOGGED ? ' Further origins are not logged.' : '';
    this.#logger.warn(what + last);
  }
}

function fits(origin: string, request: IncomingMessage, origins: Exclude<WsOrigins, OriginCheck> | undefined): boolean {
  if (origins === undefined) return isSameHost(origin, request);
  return origins === '*' || origins.includes(origin);
}

/**
 * Whether the origin has the host and port of the request's Host header. A proxy may end TLS in front of this server, so
 * the scheme counts only if this server itself speaks TLS.
 */
export function isSameHost(origin: string, { headers, socket }: IncomingMessage): boolean {
  const page = parse(origin);
  // Browsers write origins in normal form: any other text does not come from one.
  if (page?.origin !== origin) return false;
  const own = parse(`${page.protocol}//${headers.host ?? ''}`);
  if (own?.pathname !== '/' || own.username !== '' || own.search !== '') return false;
  if (socket instanceof TLSSocket && page.protocol !== 'https:') return false;
  return own.hostname === page.hostname && portOf(own) === portOf(page);
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function portOf({ port, protocol }: URL): string | undefined {
  return port === '' ? DEFAULT_PORTS[protocol] : port;
}
