import type { ClientEvents } from '../client/client-options.interface.js';
import type { StateChange } from '../client/client-state.js';
import { asError } from '../errors/as-error.js';
import { ModuleLogger } from '../errors/module-logger.js';

/** What the log tells of a client: where its connection is, and what nobody else hears of. */
export class ClientLog {
  readonly #logger = new ModuleLogger('PxlWebSocketClient');

  constructor(private readonly name: string) {}

  /** The application's events; without an `onError` of its own the log is. */
  eventsWith(events: ClientEvents = {}): ClientEvents {
    return events.onError ? events : { ...events, onError: ({ error }) => this.#failed(error) };
  }

  /** The first attempt that fails is told, further ones in a row are not. */
  changed(change: StateChange): void {
    const { state, previous, reason } = change;
    if (state === 'connected') this.#logger.log(`${this.#client} is connected.`);
    else if (state === 'reconnecting' && previous !== 'reconnecting')
      this.#logger.warn(`${this.#client} has no connection and goes on trying. ${reason}`);
    else if (change.state === 'disconnected' && change.code === 1000)
      this.#logger.log(`${this.#client} has disconnected. ${reason}`);
    else if (state === 'disconnected')
      this.#logger.error(`${this.#client} has no connection and has given up. ${reason}`);
  }

  #failed(thrown: unknown): void {
    const error = asError(thrown);
    this.#logger.error(`${this.#client}: ${error.message}`, error.stack);
  }

  get #client(): string {
    return `The client "${this.name}"`;
  }
}
