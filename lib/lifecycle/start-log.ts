import { Inject, Injectable } from '@nestjs/common';
import { ModuleLogger } from '../errors/module-logger.js';
import { codecOf } from '../protocol/codecs.js';
import { isClustered, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { SubscriberRegistry } from '../subscribers/subscriber.registry.js';
import type { Endpoint } from '../transport/endpoint/endpoint.js';
import { EndpointRegistry } from '../transport/endpoint/endpoint.registry.js';
import { showsWriteProgress } from '../transport/outbox/write-progress.js';
import { runtimeNotes } from './runtime-notes.js';
import { siblingsOf, workerSurroundings } from './worker-siblings.js';

/** Prints the lines of the start to the log. */
@Injectable()
export class StartLog {
  readonly #logger = new ModuleLogger();

  constructor(
    private readonly endpoints: EndpointRegistry,
    private readonly subscribers: SubscriberRegistry,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Warns of several workers without a bus: they do not reach each other's clients, and nothing else would tell. */
  warnOfSiblings(): void {
    const siblings = isClustered(this.options) ? undefined : siblingsOf(workerSurroundings());
    if (siblings === undefined) return;
    this.#logger.warn(
      `${siblings}, and there is neither the option redis nor a broadcaster: clients of other workers are not reached, ` +
        'and rooms, users and limits are of this worker alone.',
    );
  }

  /** Tells what is not right with the runtime. */
  noteRuntime(): void {
    const notes = runtimeNotes({
      versions: process.versions,
      showsWriteProgress: showsWriteProgress(),
      listensTo: (signal) => process.listenerCount(signal) > 0,
    });
    for (const { level, text } of notes) this.#logger[level](text);
  }

  printSubscribers(): void {
    if (!this.options.debug.printRoutes) return;
    const lines = this.subscribers.all.map(({ line }) => `  ${line}`);
    if (lines.length > 0) this.#logger.log(['Subscribers', ...lines].join('\n'));
  }

  printEndpoints(): void {
    const byPort = [...this.endpoints.all].sort((one, other) => one.port - other.port);
    const list = byPort.map((endpoint) => `${addressOf(endpoint)} (${codecOf(endpoint.options.protocol).name})`);
    this.#logger.log(`Clients connect to ${list.join(', ')}.`);
    if (this.options.debug.printRoutes) for (const endpoint of this.endpoints.all) this.#printRoutes(endpoint);
  }

  #printRoutes(endpoint: Endpoint): void {
    const lines = [...endpoint.router.list()].map(({ key, source }) => `  ${key} → ${source}`);
    this.#logger.log([`Routes of ${addressOf(endpoint)}`, ...lines].join('\n'));
  }
}

function addressOf({ path, port }: Endpoint): string {
  return port === 0 ? path : `${path} on port ${port}`;
}
