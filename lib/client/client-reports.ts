import type { ClientEventMap, ClientEvents } from './options/client-options.interface.js';
import type { StateChange } from './connection/client-state.js';
import { fieldsOf } from './messages/frame-fields.js';
import { guard, Listeners } from './listeners.js';
import { reportUncaught } from './options/surroundings.js';

/** Hears of every change of the state. */
export type StateListener = (change: StateChange) => void;

/**
 * Everything that the application is told of the client's life, in the order in which it happened, also when somebody who
 * is told causes the next thing. Nothing that the application does there disturbs the client.
 */
export class ClientReports {
  /** Something of the application's own has failed: where `onError` cannot take it, it is reported as anything uncaught. */
  readonly failed = (error: unknown, where?: string): void => {
    if (!this.#events.onError || where === 'onError') reportUncaught(error);
    else this.tell('onError', { error });
  };
  readonly stateListeners = new Listeners<[StateChange]>(this.failed);
  lastChange: StateChange | null = null;
  readonly #events: ClientEvents;
  /** What is told once all of it is known; undefined while nothing happens. */
  #untold: (() => void)[] | undefined;

  constructor(events: ClientEvents = {}) {
    this.#events = events;
  }

  /** Tells what `work` reports only when it is done. */
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
    this.together(() => this.#untold?.push(() => this.stateListeners.call(null, change)));
  }

  /**
   * Calls one of the application's callbacks, if it is there.
   *
   * @param done called once it has done what it does: at once, unless it returned something to wait for
   */
  tell<Name extends keyof ClientEventMap>(name: Name, event: ClientEventMap[Name], done?: () => void): void {
    const call = (): void => {
      let isLater: unknown;
      const settled = guard(
        () => {
          const result: unknown = this.#events[name]?.(event);
          // Looked at in here: what an application returns may throw even at that.
          isLater = fieldsOf(result).then;
          return result;
        },
        (error) => this.failed(error, name),
      );
      if (isLater) void settled.then(done);
      else done?.();
    };
    this.together(() => this.#untold?.push(call));
  }
}
