import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { CanActivate, Type } from '@nestjs/common';
import { describeEnhancer, isEnhancer } from './checks/enhancer-checks.js';
import { describe, type OptionChecks } from './checks/option-checks.js';
import { originAs, originRemedy } from './checks/origin-remedy.js';

/**
 * `'*'` for all; a list of exact origins (scheme, host, port) as browsers write them; or a function, which allows by
 * returning true.
 */
export type WsOrigins = '*' | string[] | ((origin: string, request: IncomingMessage) => boolean);

export interface WsUpgradeOptions {
  /** Milliseconds after which an upgrade on a path that nobody answers gets 404. Default: 10 000; `false`: never. */
  foreignTimeout?: number | false | undefined;
}

export interface ResolvedUpgrade {
  readonly foreignTimeout: number | false;
}

/** Undefined: only pages of the same host may connect. */
export function resolveOrigins(options: OptionChecks): WsOrigins | undefined {
  const given = options.raw('origins');
  if (given === undefined || given === '*') return given;
  if (typeof given === 'function') return options.callback('origins') as WsOrigins;
  if (!Array.isArray(given)) {
    const meant = originAs(given);
    const shown = meant === undefined ? undefined : `a text: write ['${meant}']`;
    return options.refuse('origins', "'*', a function, or a list of origins like 'https://app.example.com'", shown);
  }
  const allowed = "an origin as browsers send it, like 'https://app.example.com'";
  return Object.freeze([...options.every('origins', given, isOrigin, allowed, originRemedy)]) as string[];
}

export function resolveTrustProxy(options: OptionChecks): boolean | number | readonly string[] {
  const given = options.raw('trustProxy') ?? false;
  if (typeof given === 'boolean' || (Number.isSafeInteger(given) && (given as number) >= 0))
    return given as boolean | number;
  if (Array.isArray(given)) {
    const range = "an address or a range like '10.0.0.0/8'";
    const shown = (entry: unknown): string => (typeof entry === 'string' ? JSON.stringify(entry) : describe(entry));
    return Object.freeze([...options.every('trustProxy', given, isAddressRange, range, shown)]);
  }
  return options.refuse(
    'trustProxy',
    "true, false, a number of proxies, or a list of addresses and ranges like '10.0.0.0/8'",
  );
}

export function resolveConnectionGuards(options: OptionChecks): readonly (Type<CanActivate> | CanActivate)[] {
  const given = options.raw('connectionGuards') ?? [];
  if (!Array.isArray(given)) return options.refuse('connectionGuards', 'a list of guards');
  const allowed = 'a guard: a class or an object with a method canActivate';
  return Object.freeze([...options.every('connectionGuards', given, isGuard, allowed, describeGuard)]);
}

export function resolveUpgrade(upgrade: OptionChecks): ResolvedUpgrade {
  return { foreignTimeout: upgrade.limit('foreignTimeout', 10_000, 1) };
}

/** A class whose instances have `canActivate`, or an object that has it. */
export function isGuard(guard: unknown): guard is CanActivate {
  return isEnhancer(guard, 'canActivate');
}

/** What was given in place of a guard, for messages. */
export function describeGuard(guard: unknown): string {
  return describeEnhancer(guard, 'canActivate');
}

/** An origin as browsers write it in the Origin header; its scheme may be an application's own. */
function isOrigin(given: unknown): given is string {
  if (typeof given !== 'string' || !/^(?!wss?:)[a-z][a-z\d+.-]*:\/\/[^/?#@*\s]+$/.test(given)) return false;
  return !/^https?:/.test(given) || (URL.canParse(given) && new URL(given).origin === given);
}

function isAddressRange(given: unknown): given is string {
  if (typeof given !== 'string') return false;
  const [address = '', prefix, ...more] = given.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}
