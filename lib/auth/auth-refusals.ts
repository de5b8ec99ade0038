import { Inject, Injectable } from '@nestjs/common';
import { ModuleLogger } from '../errors/module-logger.js';
import { counter, type MetricSource, type WebSocketMetric } from '../runtime/metrics/metrics.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { describeReason, type RefusalReason } from './refusal-reason.js';

/** Milliseconds between two equal lines of the log. */
const PAUSE = 60_000;
/** After so many refusals in a row the log warns that no client gets in. */
const MANY = 10;

/** The refusals of an endpoint since the last authentication that succeeded. */
interface Streak {
  readonly reasons: Map<RefusalReason, number>;
  size: number;
}

/**
 * Counts the refused authentications (at the upgrade, by message, with a new token) by their reasons, and logs one line for
 * each reason and minute. A warning says when an endpoint refuses all of them.
 */
@Injectable()
export class AuthRefusals implements MetricSource {
  readonly #logger = new ModuleLogger();
  readonly #counts = new Map<RefusalReason, number>();
  readonly #lines = new Map<RefusalReason, { at: number; heldBack: number }>();
  readonly #streaks = new Map<ResolvedOptions, Streak>();
  readonly #warnedAt = new Map<ResolvedOptions, number>();

  constructor(
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Counts one refused authentication.
   *
   * @param endpoint the options of the endpoint
   * @param by the name of the application's authenticator or guard that has refused
   */
  count(endpoint: ResolvedOptions, reason: RefusalReason, by?: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    this.#tell(reason, by);
    this.#extendStreak(endpoint, reason);
  }

  /** Notes that an authentication has succeeded. */
  admitted(endpoint: ResolvedOptions): void {
    this.#streaks.delete(endpoint);
  }

  *metrics(): Iterable<WebSocketMetric> {
    for (const [reason, count] of this.#counts) yield counter('authentications_refused', count, { reason });
  }

  #tell(reason: RefusalReason, by: string | undefined): void {
    const now = this.runtime.monotonic();
    const last = this.#lines.get(reason);
    if (last && now - last.at < PAUSE) {
      last.heldBack++;
      return;
    }
    this.#lines.set(reason, { at: now, heldBack: 0 });
    const whose = by === undefined ? '' : ` (${by})`;
    const more = last?.heldBack ? ` ${last.heldBack} more were since the last such line.` : '';
    this.#logger.debug(`An authentication was refused: ${describeReason(reason)}${whose}.${more}`, { code: reason });
  }

  #extendStreak(endpoint: ResolvedOptions, reason: RefusalReason): void {
    let streak = this.#streaks.get(endpoint);
    if (!streak) this.#streaks.set(endpoint, (streak = { reasons: new Map(), size: 0 }));
    streak.reasons.set(reason, (streak.reasons.get(reason) ?? 0) + 1);
    if (++streak.size < MANY) return;
    const now = this.runtime.monotonic();
    if (now - (this.#warnedAt.get(endpoint) ?? -Infinity) < PAUSE) return;
    this.#warnedAt.set(endpoint, now);
    this.#streaks.delete(endpoint);
    const reasons = [...streak.reasons].sort(([, one], [, other]) => other - one);
    const list = reasons.map(([name, count]) => `${count} × ${name}`).join(', ');
    const what = `The last ${streak.size} authentications${this.#placeOf(endpoint)} were all refused (${list}).`;
    const most = reasons[0]?.[0] ?? 'failed';
    this.#logger.warn(`${what} The most frequent reason: ${describeReason(most)}.`, { code: most });
  }

  #placeOf(endpoint: ResolvedOptions): string {
    for (const [path, options] of this.options.endpoints) if (options === endpoint) return ` on ${path}`;
    return '';
  }
}
