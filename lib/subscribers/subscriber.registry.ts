import { Inject, Injectable } from '@nestjs/common';
import { ErrorReporter } from '../errors/error-reporter.js';
import { isObserved } from '../protocol/cluster-events.js';
import { PXL_WS_OPTIONS } from '../pxl-websocket.options.js';
import { SubscriberExplorer } from './subscriber.explorer.js';
import { Subscriber } from './subscriber.js';
import type { ResolvedSubscribers } from './subscriber.options.js';

/** The application's subscribers by the channels that they listen to. */
@Injectable()
export class SubscriberRegistry {
  #all: readonly Subscriber[] = [];
  /** Those that may match any channel: the only candidates for channels without an entry in `#byChannel`. */
  #open: readonly Subscriber[] = [];
  /** The candidates for each channel that a subscriber names. */
  readonly #byChannel = new Map<string, readonly Subscriber[]>();

  constructor(
    private readonly explorer: SubscriberExplorer,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedSubscribers,
  ) {}

  /**
   * Collects the subscribers; called once, when every provider exists.
   *
   * @throws PxlWebSocketOptionsError and PxlWebSocketSetupError for a method that cannot be a subscriber, with its name
   */
  load(): void {
    const report = this.errors.report.bind(this.errors);
    this.#all = [...this.options.subscribers, ...this.explorer.explore()]
      .map((definition) => new Subscriber(definition, report))
      .sort((a, b) => b.definition.priority - a.definition.priority);
    this.#open = this.#all.filter(({ matcher }) => matcher.channels === null);
    for (const name of new Set(this.#all.flatMap(({ matcher }) => [...(matcher.channels ?? [])]))) {
      this.#byChannel.set(
        name,
        this.#all.filter(({ matcher }) => matcher.channels?.has(name) ?? true),
      );
    }
  }

  /** All subscribers, the highest priority first. */
  get all(): readonly Subscriber[] {
    return this.#all;
  }

  /** Those that an event of the channel can be for, the highest priority first. */
  candidates(channel: string): readonly Subscriber[] {
    return this.#byChannel.get(channel) ?? this.#open;
  }

  /** Whether a subscriber asks for the channel by its name. */
  names(channel: string): boolean {
    return this.#byChannel.has(channel);
  }

  /** The channels that the bus has to bring; `'all'` when a subscriber may want any. */
  get channels(): readonly string[] | 'all' {
    return this.#open.length > 0 ? 'all' : [...this.#byChannel.keys()].filter((name) => !isObserved(name));
  }
}
