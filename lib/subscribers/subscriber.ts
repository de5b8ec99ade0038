import type { WebSocketSubscriberHandler, WebSocketSubscriberMatcher } from './subscriber.interface.js';
import type { ResolvedSubscriber } from './subscriber.options.js';
import { compileHandler } from './handler-pipeline.js';
import { compileMatchers, type CompiledMatcher } from './compiled-matcher.js';
import { SubscriberQueue } from './subscriber-queue.js';

/** A subscriber of the running application: its compiled matcher and handler, and the queue of its events. */
export class Subscriber {
  readonly queue = new SubscriberQueue();
  readonly matcher: CompiledMatcher;
  /** The handler with its schema and middleware. */
  readonly handle: WebSocketSubscriberHandler;
  /** Whether its events are dropped because its queue was full; ends when the queue is empty. */
  isBehind = false;
  #hasFailedToMatch = false;

  /** @param report called with the first failure of a predicate only, since predicates are called for every event */
  constructor(
    readonly definition: ResolvedSubscriber,
    report: (what: string, error: unknown) => void,
  ) {
    this.matcher = compileMatchers(definition.matchers, (error) => {
      if (this.#hasFailedToMatch) return;
      this.#hasFailedToMatch = true;
      report(`A predicate of the subscriber ${this.label} has failed, which picks no event.`, error);
    });
    this.handle = compileHandler(definition, (hook, channel, error) =>
      report(`The hook ${hook} of the subscriber ${this.label} failed on channel ${JSON.stringify(channel)}.`, error),
    );
  }

  /** Its name and description, for the log. */
  get label(): string {
    const { name, description } = this.definition;
    return description === undefined ? name : `${name} (${description})`;
  }

  /** Its line in the table of subscribers that `debug.printRoutes` prints. */
  get line(): string {
    const { matchers, priority, run } = this.definition;
    return `${matchers.map(textOf).join(', ')} → ${this.label}, priority ${priority}, ${run}`;
  }
}

function textOf(matcher: WebSocketSubscriberMatcher): string {
  if (typeof matcher === 'string') return matcher;
  if (typeof matcher === 'function') return matcher.name || 'predicate';
  return 'all' in matcher ? `all of (${matcher.all.map(textOf).join(', ')})` : String(matcher);
}
