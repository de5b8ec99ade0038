import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { WsTransformedEvent } from '../options/encryption.options.js';
import { RefusalCounters, type WsLimitName } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { isThenable } from '../runtime/thenable.js';
import type { Eventually } from './cipher.interface.js';
import { ConcurrencyLimit } from './concurrency-limit.js';

/** A callback of the options that is asked about frames. */
export interface FrameCallback {
  readonly option: string;
  /** What its failures count as; undefined where something else counts them. */
  readonly limit: WsLimitName | undefined;
}

/** Asks the application's callbacks about single frames. None of them can fail more than its frame, or take for ever. */
@Injectable()
export class FrameCallbacks {
  readonly #turns = new Map<FrameCallback, ConcurrencyLimit>();

  constructor(
    private readonly errors: ErrorReporter,
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * What `use` makes of the answer: at once when that came at once. Null when one of the two throws or rejects, or there is
   * no answer within `timeouts.hook`; that is counted and reported. Of all clients together, `batchLimit` calls of a
   * callback are under way; nobody is asked about a client that has gone while its frame waited.
   */
  ask<Answer, Result>(
    callback: FrameCallback,
    session: ClientSession,
    call: () => Answer | Promise<Answer>,
    use: (answer: Answer) => Result | null,
  ): Eventually<Result | null> {
    let turns = this.#turns.get(callback);
    if (!turns) this.#turns.set(callback, (turns = new ConcurrencyLimit(this.options.outbound.batchLimit)));
    return turns.take(() => (session.state === 'disconnected' ? null : this.#call(callback, session, call, use)));
  }

  #call<Answer, Result>(
    callback: FrameCallback,
    session: ClientSession,
    call: () => Answer | Promise<Answer>,
    use: (answer: Answer) => Result | null,
  ): Eventually<Result | null> {
    try {
      const answer = call();
      if (!isThenable(answer)) return use(answer);
      return this.#inTime(Promise.resolve(answer), (error) => this.#report(callback, session, error))
        .then(use)
        .catch((error: unknown) => this.#fail(callback, session, error));
    } catch (error) {
      return this.#fail(callback, session, error);
    }
  }

  /** @param lost hears of a failure that comes later */
  #inTime<Answer>(answer: Promise<Answer>, lost: (error: unknown) => void): Promise<Answer> {
    const limit = this.options.timeouts.hook;
    const late = (): Error => new Error(`It took longer than timeouts.hook (${limit} ms).`);
    return this.runtime.within(limit, answer, late, lost);
  }

  #fail(callback: FrameCallback, session: ClientSession, error: unknown): null {
    if (callback.limit) this.counters.count(callback.limit);
    this.#report(callback, session, error);
    return null;
  }

  #report({ option }: FrameCallback, { clientId }: ClientSession, error: unknown): void {
    this.errors.report(`${option} failed.`, error, clientId);
  }
}

/** @throws Error when the application answered neither an event nor null */
export function checkEvent(answer: WsTransformedEvent): WsTransformedEvent {
  const given: unknown = answer;
  if (given === null) return null;
  if (typeof given === 'object' && 'event' in given && typeof given.event === 'string') return answer;
  throw new Error('It answered neither { event, data } nor null.');
}
