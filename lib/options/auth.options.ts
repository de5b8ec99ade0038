import type { Authenticate, TokenPlace } from '../interfaces/auth-options.interface.js';
import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { isClass, isClassWith, lackOf } from './class-checks.js';
import { resolveJwt, type ResolvedJwt } from './jwt.options.js';
import { describe, describeWord, OptionChecks } from './option-checks.js';

/** The `auth` options with every default in place. */
export interface ResolvedAuth {
  /** True: the application's own JwtService. */
  readonly jwt: ResolvedJwt | true | undefined;
  /** The claims that tell who it is. */
  readonly claims: { readonly userId: string; readonly userType: string };
  readonly authenticate: readonly Authenticate[];
  readonly required: boolean;
  readonly mode: 'upgrade' | 'message' | 'either';
  readonly tokenFrom: readonly TokenPlace[];
  readonly timeout: number;
  readonly rejectMode: 'status' | 'close';
}

const MODES = ['upgrade', 'message', 'either'] as const;
const REJECT_MODES = ['status', 'close'] as const;
const AUTHENTICATOR = 'a function, or a class with a method authenticate';
const PLACES: readonly TokenPlace[] = ['header', 'protocol', 'cookie', 'query'];

const NOBODY_ASKED =
  'The option auth has neither jwt nor authenticate, so that nobody would be asked who they are: give one of them, or ' +
  'leave auth out where everybody may connect.';

/**
 * @param isGiven whether the application has the option at all
 * @param usualMode when clients say who they are, where `auth` does not tell
 * @throws PxlWebSocketOptionsError in one sentence
 */
export function resolveAuth(auth: OptionChecks, isGiven: boolean, usualMode: ResolvedAuth['mode']): ResolvedAuth {
  const { jwt, claims } = readJwt(auth);
  const authenticate = readAuthenticate(auth);
  const isConfigured = jwt !== undefined || authenticate.length > 0;
  const required = auth.boolean('required', isConfigured);
  const mode = oneOf(auth, 'mode', MODES, isConfigured ? usualMode : 'upgrade');
  const resolved: ResolvedAuth = {
    jwt,
    claims,
    authenticate,
    required,
    mode,
    tokenFrom: auth.words('tokenFrom', PLACES, PLACES),
    timeout: auth.integer('timeout', 5_000, 1),
    rejectMode: oneOf(auth, 'rejectMode', REJECT_MODES),
  };
  // A misspelt name is told as such.
  auth.finish();
  // A key or a function that was not there when the options were made must not mean that everybody gets in.
  if (isGiven && !isConfigured) throw new PxlWebSocketOptionsError(NOBODY_ASKED);
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

function readAuthenticate(auth: OptionChecks): readonly Authenticate[] {
  const given = auth.raw('authenticate');
  if (given === undefined) return [];
  if (typeof given !== 'function' && !Array.isArray(given)) auth.refuse('authenticate', AUTHENTICATOR);
  const list: unknown[] = Array.isArray(given) ? given : isClass(given) ? [given] : [auth.callback('authenticate')];
  const isAuthenticator = (one: unknown): one is Authenticate =>
    isClass(one) ? isClassWith('authenticate', one) : typeof one === 'function';
  const shown = (one: unknown): string => lackOf(one, ['authenticate']) ?? describe(one);
  if (isClass(given) && !isAuthenticator(given)) auth.refuse('authenticate', AUTHENTICATOR, shown(given));
  return auth.every('authenticate', list, isAuthenticator, AUTHENTICATOR, shown);
}

/** One of a few words, the first of which is the default unless there is another. */
export function oneOf<T extends string>(
  checks: OptionChecks,
  option: string,
  words: readonly [T, ...T[]],
  fallback = words[0],
): T {
  const given = checks.raw(option) ?? fallback;
  const word = words.find((candidate) => candidate === given);
  return word ?? checks.refuse(option, words.map((one) => `'${one}'`).join(' or '), describeWord(given, words));
}
