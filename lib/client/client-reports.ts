import type { ClientEventMap, ClientEvents } from './options/client-options.interface.js';
import type { StateChange } from './connection/client-state.js';
import { fieldsOf } from './messages/frame-fields.js';
import { guard, Listeners } from './listeners.js';
import { reportUncaught } from './options/surroundings.js';

/** Called with every change of the state. */
export type StateListener = (change: StateChange) => void;

/**
 * Calls the application's callbacks about the client's life in the order of the events, also when a callback causes the next
 * event. What a callback throws does not disturb the client.
 */
export class ClientReports {
  /** Reports a failure of the application's own code to `onError`; without one, it is reported as an uncaught error. */
  readonly failed = (error: unknown, where?: string): void => {
    if (!this.#events.onError || where === 'onError') reportUncaught(error);
    else this.tell('onError', { error });
  };
  readonly stateListeners = new Listeners<[StateChange]>(this.failed);
  lastChange: StateChange | null = null;
  readonly #events: ClientEvents;
  /** The reports that wait until `together` has finished; undefined outside of it. */
  #untold: (() => unknown)[] | undefined;

  constructor(events: ClientEvents = {}) {
    this.#events = events;
  }

  /** Runs `work`, and makes what it reports only after it has finished. */
  together(work: () => void): void {
    const isInner = this.#untold;
    this.#untold ??= [];
    work();
    if (isInner) return;
    for (const tell of this.#untold) tell();
    this.#untold = undefined;
  }

  changed(change: StateChange): void {
    this.lastChange = change;
    this.queue(() => this.stateListeners.call(null, change));
  }

  /** Calls a function once what is reported before has been told. */
  queue(call: () => unknown): void {
    this.together(() => this.#untold?.push(call));
  }

  /**
   * Calls one of the application's callbacks, if there is one.
   *
   * @param done called when the callback has finished: at once, unless it returned a promise
   */
  tell<Name extends keyof ClientEventMap>(name: Name, event: ClientEventMap[Name], done?: () => void): void {
    const call = (): void => {
      let isLater: unknown;
      const settled = guard(
        () => {
          const result: unknown = this.#events[name]?.(event);
          // This is inside the `try`, since even reading a property of what the application returned may throw.
          isLater = fieldsOf(result).then;
          return result;
        },
        (error) => this.failed(error, name),
      );
      if (isLater) void settled.then(done);
      else done?.();
    };
    this.queue(call);
  }
}
