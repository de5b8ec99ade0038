import type { Type } from '@nestjs/common';
import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import type { WsAuthenticate, WsAuthenticator } from './authenticator.js';
import { isClass, isClassWith, lackOf } from './checks/class-checks.js';
import { describe, OptionChecks } from './checks/option-checks.js';
import { resolveJwt, type WsJwtOptions, type ResolvedJwt } from './jwt.options.js';

/** The places of an upgrade request that a token can stand in. */
export type WsTokenPlace = 'header' | 'protocol' | 'cookie' | 'query';

/** How clients prove who they are. At least one of `jwt` and `authenticate` is given, otherwise the application does not start. */
export interface WsAuthOptions {
  /**
   * Verifies JSON Web Tokens through the package `@nestjs/jwt`; `true` uses the application's own `JwtService` with its
   * options, which have to hold a key. `client.user` is `{ userId, userType?, payload }` from the claims.
   */
  jwt?: WsJwtOptions | true | undefined;
  /** Authenticators of the application's own, functions or classes, asked in order, after `jwt`. */
  authenticate?: WsAuthenticateOption | readonly WsAuthenticateOption[] | undefined;
  /**
   * False: a client without credentials is accepted as anonymous; one with wrong credentials is refused all the same. In
   * either case an authenticator may accept a client as anonymous: `{ anonymous: true }`. Default: true.
   */
  required?: boolean | undefined;
  /**
   * When a client proves who it is: `'upgrade'`, before the connection is accepted; `'message'`, by `system.authenticate`
   * as its first message; `'either'`, by message where the upgrade brought no credentials. Default: `'upgrade'`;
   * event: `'either'`.
   */
  mode?: 'upgrade' | 'message' | 'either' | undefined;
  /**
   * Where a token may stand in the upgrade request: `Authorization: Bearer`, `bearer.<token>` among the subprotocols, the
   * cookie `token`, `?token=`. Default: `['header', 'protocol', 'cookie', 'query']`.
   */
  tokenFrom?: readonly WsTokenPlace[] | undefined;
  /**
   * Milliseconds that a client has for its `system.authenticate`; then it is closed with 4001. While its authentication
   * runs it has three times as long. Default: 5 000.
   */
  timeout?: number | undefined;
  /**
   * `'close'`: an upgrade that would be answered 401 is accepted and closed with 4003, which browsers can read. Clients
   * that offer `pxl.refusals` get the close code in either case. Default: `'status'`.
   */
  rejectMode?: 'status' | 'close' | undefined;
}

/** A function, or a class that Nest provides or can make. */
export type WsAuthenticateOption = WsAuthenticate | Type<WsAuthenticator>;

/** The `auth` options with every default in place. */
export interface ResolvedAuth {
  /** True: the application's own JwtService. */
  readonly jwt: ResolvedJwt | true | undefined;
  /** The names of the claims that tell who the user is. */
  readonly claims: { readonly userId: string; readonly userType: string };
  readonly authenticate: readonly WsAuthenticateOption[];
  readonly required: boolean;
  readonly mode: 'upgrade' | 'message' | 'either';
  readonly tokenFrom: readonly WsTokenPlace[];
  readonly timeout: number;
  readonly rejectMode: 'status' | 'close';
}

const MODES = ['upgrade', 'message', 'either'] as const;
const REJECT_MODES = ['status', 'close'] as const;
const AUTHENTICATOR = 'a function, or a class with a method authenticate';
const PLACES: readonly WsTokenPlace[] = ['header', 'protocol', 'cookie', 'query'];

const NO_AUTHENTICATOR =
  'The option auth has neither jwt nor authenticate, so that nobody would be asked who they are: give one of them, or ' +
  'leave auth out where everybody may connect.';

/**
 * @param isGiven whether the application has given the option `auth`
 * @param usualMode the default of `auth.mode`
 * @throws PxlWebSocketOptionsError in one sentence
 */
export function resolveAuth(auth: OptionChecks, isGiven: boolean, usualMode: ResolvedAuth['mode']): ResolvedAuth {
  const { jwt, claims } = readJwt(auth);
  const authenticate = readAuthenticate(auth);
  const isConfigured = jwt !== undefined || authenticate.length > 0;
  const required = auth.boolean('required', isConfigured);
  const mode = auth.oneOf('mode', MODES, isConfigured ? usualMode : 'upgrade');
  const resolved: ResolvedAuth = {
    jwt,
    claims,
    authenticate,
    required,
    mode,
    tokenFrom: auth.words('tokenFrom', PLACES, PLACES),
    timeout: auth.integer('timeout', 5_000, 1),
    rejectMode: auth.oneOf('rejectMode', REJECT_MODES),
  };
  // A misspelt name gets its own message, before the one that both options are missing.
  auth.finish();
  // If the key or function was undefined by mistake, everybody would get in.
  if (isGiven && !isConfigured) throw new PxlWebSocketOptionsError(NO_AUTHENTICATOR);
  return resolved;
}

function readJwt(auth: OptionChecks): Pick<ResolvedAuth, 'jwt' | 'claims'> {
  const given = auth.raw('jwt');
  const checks = new OptionChecks('auth.jwt', given === true ? {} : given);
  const group = checks.group('claims');
  const claims = { userId: readName(group, 'userId', 'sub'), userType: readName(group, 'userType', 'userType') };
  group.finish();
  const jwt = given === undefined || given === true ? given : resolveJwt(checks);
  checks.finish();
  return { jwt, claims };
}

function readName(claims: OptionChecks, option: string, fallback: string): string {
  const given = claims.raw(option) ?? fallback;
  return typeof given === 'string' && given !== '' ? given : claims.refuse(option, 'the name of a claim');
}

function readAuthenticate(auth: OptionChecks): readonly WsAuthenticateOption[] {
  const given = auth.raw('authenticate');
  if (given === undefined) return [];
  if (typeof given !== 'function' && !Array.isArray(given)) auth.refuse('authenticate', AUTHENTICATOR);
  const list: unknown[] = Array.isArray(given) ? given : isClass(given) ? [given] : [auth.callback('authenticate')];
  const isAuthenticator = (one: unknown): one is WsAuthenticateOption =>
    isClass(one) ? isClassWith('authenticate', one) : typeof one === 'function';
  const shown = (one: unknown): string => lackOf(one, ['authenticate']) ?? describe(one);
  if (isClass(given) && !isAuthenticator(given)) auth.refuse('authenticate', AUTHENTICATOR, shown(given));
  return auth.every('authenticate', list, isAuthenticator, AUTHENTICATOR, shown);
}
