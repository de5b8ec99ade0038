import { Inject, Injectable, Logger } from '@nestjs/common';
import { Runtime } from '../runtime/runtime.js';
import { LogLimiter } from './log-limiter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { asError } from './as-error.js';
import { WsError } from './ws.error.js';

/** Where failures go that nobody is waiting for: the log, a few lines a second, and the application's `events.onError`. */
@Injectable()
export class ErrorReporter {
  readonly #logger = new Logger('PxlWebSocket');

  readonly #limiter: LogLimiter;

  constructor(
    runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#limiter = new LogLimiter(runtime);
  }

  /**
   * @param what a sentence that says what failed, without anything a client sent
   * @param failure what was thrown
   */
  report(what: string, failure: unknown, clientId?: string): void {
    const error = asError(failure);
    this.#log(`${what} ${error.message}`, error);
    const { onError } = this.options.events;
    if (!onError) return;
    const failed = (again: unknown): void => this.#logger.error('events.onError itself failed.', asError(again).stack);
    try {
      void Promise.resolve(onError({ error, clientId })).catch(failed);
    } catch (again) {
      failed(again);
    }
  }

  #log(line: string, error: Error): void {
    // While the bus is down, whatever fails for that is one fault.
    const isDown = error instanceof WsError && error.code === 'UNAVAILABLE';
    const admitted = this.#limiter.admit(isDown ? error.code : line);
    if (!admitted) return;
    const { heldBack } = admitted;
    this.#logger.error(heldBack === 0 ? line : `${line} (${heldBack} more lines were held back.)`, error.stack);
  }
}
