import { counter, type WebSocketMetric } from '../runtime/metrics/metrics.js';
import type { WsLossReason } from './room-history.interface.js';

/** What this worker has done for rooms with history since its start. */
export class HistoryCounts {
  appended = 0;
  /** Kept messages that were sent to members. */
  replayed = 0;
  /** Returns of clients that got everything. */
  recovered = 0;
  /** Members and returning clients that were told that something is lost, by reason. */
  readonly lost: Record<WsLossReason, number> = { epoch: 0, trimmed: 0, limit: 0 };
  /** Messages without a number that came for rooms with history. */
  unnumbered = 0;
  /** Reads of entries from the store. */
  reads = 0;
  /** Times that a number was missing, so that the entries had to be read. */
  holes = 0;

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('history_appended', this.appended);
    yield counter('history_replayed', this.replayed);
    yield counter('history_recovered', this.recovered);
    for (const [reason, count] of Object.entries(this.lost)) yield counter('history_not_recovered', count, { reason });
    yield counter('history_unnumbered', this.unnumbered);
    yield counter('history_reads', this.reads);
    yield counter('history_holes', this.holes);
  }
}
