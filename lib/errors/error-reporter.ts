import { Inject, Injectable } from '@nestjs/common';
import { Runtime } from '../runtime/runtime.js';
import type { Awaitable } from '../runtime/thenable.js';
import { WatchedPromise } from '../runtime/watched-promise.js';
import { LogLimiter } from './log-limiter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { asError, textsOf } from './as-error.js';
import { codeOf, logCodeOf } from './code-of.js';
import { completed, type WsLogFields } from './log-fields.js';
import { ModuleLogger } from './module-logger.js';

/**
 * Reports failures that no caller waits for: to the log, at most a few lines a second, and to the application's
 * `events.onError`.
 */
@Injectable()
export class ErrorReporter {
  readonly #logger = new ModuleLogger();

  readonly #limiter: LogLimiter;

  constructor(
    runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#limiter = new LogLimiter(runtime);
  }

  /**
   * Never throws, whatever was thrown, and whatever the logger and `events.onError` do.
   *
   * @param what a sentence that says what failed, without anything a client sent
   * @param failure what was thrown
   * @param about whose client, message or event it belongs to
   */
  report(what: string, failure: unknown, about: WsLogFields = {}): void {
    const fields = completed({ ...about, code: about.code ?? logCodeOf(failure) });
    this.#log(what, failure, fields);
    if (this.options.events.onError) void this.#tell(what, asError(failure), fields);
  }

  /**
   * Runs work for the application and returns a promise of its result. A rejection without a handler is reported.
   *
   * @param what the method that was called, as `WsClient.join`
   */
  watch<T>(what: string, work: () => Awaitable<T>, about?: WsLogFields): Promise<T> {
    const untaken = (reason: unknown): void => this.report(`${what} failed, and nobody waited for it.`, reason, about);
    return WatchedPromise.watch(work, untaken);
  }

  async #tell(message: string, error: Error, fields: WsLogFields): Promise<void> {
    try {
      await this.options.events.onError?.({ error, message, ...fields });
    } catch (again) {
      this.#log('events.onError itself failed.', again, { ...fields, code: logCodeOf(again) });
    }
  }

  #log(what: string, failure: unknown, fields: WsLogFields): void {
    const { message, stack } = textsOf(failure);
    const line = `${what} ${message}`;
    // While the bus is down, all failures that come from it share one budget of lines.
    const admitted = this.#limiter.admit(codeOf(failure) === 'UNAVAILABLE' ? 'UNAVAILABLE' : line);
    if (!admitted) return;
    const { heldBack } = admitted;
    this.#logger.error(heldBack === 0 ? line : `${line} (${heldBack} more lines were held back.)`, fields, stack);
  }
}
