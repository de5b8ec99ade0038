import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { isGroup, OptionChecks } from '../options/checks/option-checks.js';
import { EVERY_CHANNEL, isChannelName, MAX_CHANNEL_LENGTH, renamedEvent } from '../protocol/cluster-events.js';
import type { WsStandardSchema } from '../runtime/standard-schema.js';
import type {
  WebSocketSubscriberHandler,
  WebSocketSubscriberMatcher,
  WebSocketSubscriberMiddleware,
} from './subscriber.interface.js';

/** A subscriber's definition, checked, with every default in place. */
export interface ResolvedSubscriber {
  readonly name: string;
  readonly description: string | undefined;
  readonly priority: number;
  /** Any one suffices. */
  readonly matchers: readonly WebSocketSubscriberMatcher[];
  readonly run: 'everyWorker' | 'oneWorker';
  readonly middleware: readonly WebSocketSubscriberMiddleware[];
  readonly schema: WsStandardSchema | undefined;
  readonly handle: WebSocketSubscriberHandler;
}

/** What the resolved options of the module hold for subscribers. */
export interface ResolvedSubscribers {
  readonly subscribers: readonly ResolvedSubscriber[];
}

const SELECTORS = ['channel', 'channels', 'match', 'matchers'] as const;
const RUNS = ['everyWorker', 'oneWorker'] as const;
const MATCHER = "a text that is a channel's name or '*', a RegExp, a function, or matchAll(...)";

/** @throws PxlWebSocketOptionsError that names the definition by its place, and its name or description */
export function resolveSubscribers(options: OptionChecks): readonly ResolvedSubscriber[] {
  const given = options.raw('subscribers') ?? [];
  if (!Array.isArray(given)) options.refuse('subscribers', 'a list of definitions');
  const subscribers = (given as unknown[]).map((definition, at) => {
    const place = `subscribers[${at}]`;
    const checks = new OptionChecks(`${place}${labelOf(definition)}`, definition ?? null);
    const handle = checks.callback('handle') ?? checks.refuse('handle', 'a function');
    return resolveSubscriber(checks, place, handle);
  });
  return Object.freeze(subscribers);
}

/**
 * @param checks reads the definition
 * @param fallback what the subscriber is called when it has no name
 * @throws PxlWebSocketOptionsError
 */
export function resolveSubscriber(
  checks: OptionChecks,
  fallback: string,
  handle: WebSocketSubscriberHandler,
): ResolvedSubscriber {
  const resolved: ResolvedSubscriber = {
    name: readText(checks, 'name') ?? fallback,
    description: readText(checks, 'description'),
    priority: readPriority(checks),
    matchers: readMatchers(checks),
    run: checks.oneOf('run', RUNS),
    middleware: readMiddleware(checks),
    schema: readSchema(checks),
    handle,
  };
  checks.finish();
  return Object.freeze(resolved);
}

/** The name or description of a definition, for messages about it. */
function labelOf(definition: unknown): string {
  const { name, description } = isGroup(definition) ? definition : {};
  const label = name ?? description;
  return typeof label === 'string' && label !== '' ? ` (${label})` : '';
}

function readText(checks: OptionChecks, option: string): string | undefined {
  const given = checks.raw(option);
  if (given === undefined) return undefined;
  return typeof given === 'string' && given !== '' ? given : checks.refuse(option, 'a text that is not empty');
}

function readPriority(checks: OptionChecks): number {
  const given = checks.raw('priority') ?? 0;
  return typeof given === 'number' && Number.isFinite(given) ? given : checks.refuse('priority', 'a number');
}

function readMatchers(checks: OptionChecks): readonly WebSocketSubscriberMatcher[] {
  const given = SELECTORS.filter((selector) => checks.raw(selector) !== undefined).join(' and ');
  if (!['channel', 'channels', 'match', 'matchers', 'channels and matchers'].includes(given)) {
    throw new PxlWebSocketOptionsError(
      `What ${checks.name} hears is said by exactly one of channel, channels and match, not by ${given || 'nothing'}.`,
    );
  }
  return Object.freeze([
    ...readList(checks, 'channel', isChannel, `a channel's name of 1 to ${MAX_CHANNEL_LENGTH} characters, or '*'`),
    ...readList(
      checks,
      'channels',
      isChannel,
      `a list of channels' names, each of 1 to ${MAX_CHANNEL_LENGTH} characters`,
    ),
    ...readList(checks, 'match', isMatcher, `${MATCHER}, or a list of them`),
    ...readList(checks, 'matchers', isMatcher, `a list: each is ${MATCHER}`),
  ]);
}

/** One or several; none when the option was not given. */
function readList<T>(
  checks: OptionChecks,
  option: (typeof SELECTORS)[number],
  fits: (value: unknown) => value is T,
  allowed: string,
): readonly T[] {
  const given = checks.raw(option);
  if (given === undefined) return [];
  const takesOne = option === 'channel' || option === 'match';
  const takesList = option !== 'channel';
  const list: readonly unknown[] = takesList && Array.isArray(given) ? given : takesOne ? [given] : [];
  if (list.length === 0 || !list.every(fits)) return checks.refuse(option, allowed);
  for (const [at, matcher] of list.entries()) {
    checkNewName(checks, list === given ? `${option}[${at}]` : option, matcher);
  }
  return list;
}

/** A name of PXL's older edition: an alias would give handlers a `channel` that is not what they compare with. */
function checkNewName(checks: OptionChecks, option: string, matcher: unknown): void {
  const name = renamedEvent(matcher);
  if (name !== undefined) checks.refuse(option, `'${name}'`, `'${String(matcher)}', as PXL's older edition called it`);
  if (isGroup(matcher) && Array.isArray(matcher.all)) {
    for (const one of matcher.all) checkNewName(checks, option, one);
  }
}

function isChannel(value: unknown): value is string {
  return value === EVERY_CHANNEL || isChannelName(value);
}

function isMatcher(value: unknown): value is WebSocketSubscriberMatcher {
  if (isGroup(value) && Array.isArray(value.all)) return value.all.length > 0 && value.all.every(isMatcher);
  return isChannel(value) || typeof value === 'function' || isRegExp(value);
}

/** Of any realm. */
function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]';
}

const HOOKS = ['onBefore', 'onAfter', 'onError'] as const;

function readMiddleware(checks: OptionChecks): readonly WebSocketSubscriberMiddleware[] {
  const given = checks.raw('middleware') ?? [];
  if (!Array.isArray(given) || !given.every(isMiddleware)) {
    checks.refuse('middleware', `a list of objects with a name and functions ${HOOKS.join(', ')}`);
  }
  return Object.freeze([...(given as WebSocketSubscriberMiddleware[])]);
}

function isMiddleware(value: unknown): boolean {
  if (!isGroup(value) || typeof value.name !== 'string') return false;
  const hooks = HOOKS.map((hook) => value[hook]).filter((hook) => hook !== undefined);
  return hooks.length > 0 && hooks.every((hook) => typeof hook === 'function');
}

function readSchema(checks: OptionChecks): WsStandardSchema | undefined {
  const given = checks.raw('schema');
  return given === undefined || isSchema(given)
    ? given
    : checks.refuse('schema', 'a Standard Schema, as zod, valibot and arktype make them');
}

/** Some libraries make functions of their schemas. */
function isSchema(value: unknown): value is WsStandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { '~standard': standard } = value as { '~standard'?: unknown };
  return isGroup(standard) && typeof standard.validate === 'function';
}
