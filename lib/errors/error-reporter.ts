import { Inject, Injectable, Logger } from '@nestjs/common';
import { isNativeError } from 'node:util/types';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** Where failures go that nobody is waiting for: the log, and the application's `events.onError`. */
@Injectable()
export class ErrorReporter {
  readonly #logger = new Logger('PxlWebSocket');

  constructor(@Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions) {}

  /**
   * @param what a sentence that says what failed, without anything a client sent
   * @param failure what was thrown
   */
  report(what: string, failure: unknown, clientId?: string): void {
    const error = asError(failure);
    this.#logger.error(`${what} ${error.message}`, error.stack);
    const { onError } = this.options.events;
    if (!onError) return;
    const failed = (again: unknown): void => this.#logger.error('events.onError itself failed.', asError(again).stack);
    try {
      void Promise.resolve(onError({ error, clientId })).catch(failed);
    } catch (again) {
      failed(again);
    }
  }
}

function asError(failure: unknown): Error {
  // An error of another realm (Jest's vm, a worker) is no instance of this realm's Error.
  if (failure instanceof Error || isNativeError(failure)) return failure;
  try {
    return new Error(String(failure));
  } catch {
    return new Error('What was thrown has no text.');
  }
}
