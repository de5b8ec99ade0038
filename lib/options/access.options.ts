import { isIP } from 'node:net';
import type { CanActivate, Type } from '@nestjs/common';
import type { Origins, UserConnectionsLimit } from '../interfaces/module-options.interface.js';
import { oneOf } from './auth.options.js';
import { isClassWith, lackOf } from './class-checks.js';
import { describe, isGroup, OptionChecks } from './option-checks.js';
import { originAs, originRemedy } from './origin-remedy.js';

/** Undefined: pages of the same host. */
export function resolveOrigins(options: OptionChecks): Origins | undefined {
  const given = options.raw('origins');
  if (given === undefined || given === '*') return given;
  if (typeof given === 'function') return options.callback('origins') as Origins;
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

/** A class whose instances can be asked, or an object that can. */
export function isGuard(guard: unknown): guard is CanActivate {
  return isClassWith('canActivate', guard) || (isGroup(guard) && typeof guard.canActivate === 'function');
}

/** What was given in place of a guard, for messages. */
export function describeGuard(guard: unknown): string {
  return lackOf(guard, ['canActivate']) ?? describe(guard);
}

export function resolveUserConnections(limits: OptionChecks): UserConnectionsLimit | false {
  const given = limits.raw('connectionsPerUser');
  if (given === undefined || given === false) return false;
  if (!isGroup(given)) limits.refuse('connectionsPerUser', "{ max, onExceed: 'refuse' | 'replaceOldest' } or false");
  const limit = limits.group('connectionsPerUser');
  if (given.max === undefined) limit.refuse('max', 'a whole number from 1');
  const max = limit.integer('max', 1, 1);
  const onExceed = oneOf(limit, 'onExceed', ['refuse', 'replaceOldest']);
  limit.finish();
  return Object.freeze({ max, onExceed });
}

/** As browsers write it in the Origin header; a page of an application's own scheme has one too. */
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
