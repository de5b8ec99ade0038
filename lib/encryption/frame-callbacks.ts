import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { WsTransformedEvent } from '../options/encryption.options.js';
import { RefusalCounters, type WsLimitName } from '../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { isThenable } from '../runtime/thenable.js';
import type { Eventually } from './cipher.interface.js';
import { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import { logSubject } from '../clients/session/session-context.js';

/** A callback of the options that is called for each frame. */
export interface FrameCallback {
  readonly option: string;
  /** The counter of its failures; undefined when something else counts them. */
  readonly limit: WsLimitName | undefined;
}

/**
 * Calls the application's callbacks for single frames. A failing callback loses its frame only, and none can run for
 * ever.
 */
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
   * Calls the callback and returns what `use` makes of its answer, synchronously when the answer is. Null when one of
   * the two throws or rejects, or the answer takes longer than `timeouts.hook`; this is counted and reported. Each
   * callback has at most `batchLimit` calls running for all clients together; it is not called for a client that has
   * gone meanwhile.
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

  /** @param lost called with a failure that comes after the time limit */
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

  #report({ option }: FrameCallback, session: ClientSession, error: unknown): void {
    this.errors.report(`${option} failed.`, error, logSubject(session));
  }
}

/** @throws Error when the application answered neither an event nor null */
export function checkEvent(answer: WsTransformedEvent): WsTransformedEvent {
  const given: unknown = answer;
  if (given === null) return null;
  if (typeof given === 'object' && 'event' in given && typeof given.event === 'string') return answer;
  throw new Error('It answered neither { event, data } nor null.');
}
