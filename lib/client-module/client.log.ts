import type { ClientEvents } from '../client/options/client-options.interface.js';
import type { StateChange } from '../client/connection/client-state.js';
import { textsOf } from '../errors/as-error.js';
import { logCodeOf } from '../errors/code-of.js';
import { LogLimiter } from '../errors/log-limiter.js';
import { ModuleLogger } from '../errors/module-logger.js';
import type { Runtime } from '../runtime/runtime.js';
import { WatchedPromise } from '../runtime/watched-promise.js';
import type { ClientModuleEvents } from './client-module-options.interface.js';
import type { ClientSurroundings } from './client-surroundings.js';

/** Logs the states of a client's connection, and failures that no callback of the application takes. */
export class ClientLog {
  /** The application's events with an `onError` that cannot fail; it logs where the application has none. */
  readonly events: ClientEvents;
  readonly #logger = new ModuleLogger('PxlWebSocketClient');
  readonly #limiter: LogLimiter;

  constructor(
    private readonly name: string,
    private readonly given: ClientModuleEvents,
    runtime: Runtime,
    surroundings: ClientSurroundings,
  ) {
    this.#limiter = new LogLimiter(runtime);
    const onError = ({ error }: { error: unknown }): void => {
      if (given.onError) void this.#tell(error);
      else this.#failed(`${this.#client}:`, error);
    };
    // The target is an empty object, since a proxy of a frozen object may return nothing but its own values.
    this.events = new Proxy<ClientEvents>(
      {},
      {
        get(_target, name) {
          const own: unknown = Reflect.get(given, name);
          if (name === 'onError') return onError;
          if (typeof own !== 'function') return own;
          return (event: object): unknown => own.call(given, surroundings.complete(name, event)) as unknown;
        },
      },
    );
  }

  /** Logs the first failed attempt, and no further ones in succession. */
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

  /** Returns a promise for the application; its rejection is logged when nobody handles it. */
  watch<T>(method: string, work: () => Promise<T>): Promise<T> {
    return WatchedPromise.watch(work, (reason) => {
      this.#failed(`${this.#client}: ${method} failed, and nobody waited for it.`, reason);
      if (this.given.onError) void this.#tell(reason);
    });
  }

  async #tell(error: unknown): Promise<void> {
    try {
      const { onError }: { onError?: (failed: { error: unknown }) => unknown } = this.given;
      await onError?.call(this.given, { error });
    } catch (again) {
      this.#failed(`${this.#client}: events.onError itself failed.`, again);
    }
  }

  #failed(what: string, thrown: unknown): void {
    const { message, stack } = textsOf(thrown);
    const line = `${what} ${message}`;
    const admitted = this.#limiter.admit(line);
    if (!admitted) return;
    const { heldBack } = admitted;
    this.#logger.error(
      heldBack === 0 ? line : `${line} (${heldBack} more lines were held back.)`,
      { code: logCodeOf(thrown) },
      stack,
    );
  }

  get #client(): string {
    return `The client "${this.name}"`;
  }
}
