import type { WebSocketSubscriberHandlerContext, WebSocketSubscriberMatcher } from './subscriber.interface.js';
import { EVERY_CHANNEL } from '../protocol/cluster-events.js';
import { isThenable } from '../runtime/thenable.js';

/** The compiled matchers of a subscriber. */
export interface CompiledMatcher {
  /** The channels whose events can match; null when events of any channel can. */
  readonly channels: ReadonlySet<string> | null;
  matches(context: WebSocketSubscriberHandlerContext): boolean;
}

/**
 * Compiles a list of matchers: an event matches when one of them picks it.
 *
 * @param failed called when a predicate throws or returns a promise; the event does not match then
 */
export function compileMatchers(
  matchers: readonly WebSocketSubscriberMatcher[],
  failed: (error: unknown) => void,
): CompiledMatcher {
  const compiled = matchers.map((matcher) => compile(matcher, failed));
  return { channels: union(compiled), matches: (context) => compiled.some((one) => one.matches(context)) };
}

function compile(matcher: WebSocketSubscriberMatcher, failed: (error: unknown) => void): CompiledMatcher {
  if (matcher === EVERY_CHANNEL) return { channels: null, matches: () => true };
  if (typeof matcher === 'string') {
    return { channels: new Set([matcher]), matches: ({ channel }) => channel === matcher };
  }
  if (typeof matcher === 'function') return { channels: null, matches: guarded(matcher, failed) };
  if ('all' in matcher) {
    const all = matcher.all.map((one) => compile(one, failed));
    return { channels: intersection(all), matches: (context) => all.every((one) => one.matches(context)) };
  }
  // With the flags g and y a RegExp continues behind its last match, so each test has to begin at 0.
  const expression = new RegExp(matcher);
  const matches = ({ channel }: WebSocketSubscriberHandlerContext): boolean => {
    expression.lastIndex = 0;
    return expression.test(channel);
  };
  return { channels: null, matches };
}

function guarded(
  predicate: (context: WebSocketSubscriberHandlerContext) => unknown,
  failed: (error: unknown) => void,
): CompiledMatcher['matches'] {
  return (context) => {
    try {
      const answer = predicate(context);
      if (isThenable(answer)) failed(notAwaited(answer));
      return answer === true;
    } catch (error) {
      failed(error);
      return false;
    }
  };
}

/** Predicates are not awaited, since that would change the order of events. The promise's rejection is caught. */
function notAwaited(answer: PromiseLike<unknown>): Error {
  Promise.resolve(answer).catch(() => undefined);
  return new Error('It returned a promise. A predicate returns true or false, and is not awaited.');
}

function union(matchers: readonly CompiledMatcher[]): ReadonlySet<string> | null {
  const sets = matchers.map(({ channels }) => channels);
  return sets.includes(null) ? null : new Set(sets.flatMap((channels) => [...(channels ?? [])]));
}

function intersection(matchers: readonly CompiledMatcher[]): ReadonlySet<string> | null {
  const [first, ...others] = matchers.flatMap(({ channels }) => channels ?? []);
  if (!first) return null;
  return new Set([...first].filter((channel) => others.every((channels) => channels.has(channel))));
}
