import type { Codec } from '../protocol/codec.interface.js';
import type { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import type { RoomNames } from '../rooms/room-names.js';
import type { LiveTraces } from '../clients/traces/live-traces.js';
import type { RoomWindows } from '../clients/room-windows.js';
import type { Timings } from '../runtime/metrics/timings.js';
import type { Runtime } from '../runtime/runtime.js';
import type { HistoryCounts } from './history-counts.js';
import type { RingBudget } from './ring-budget.js';
import type { WsRoomStore } from './room-store.interface.js';

/** What all logs of a worker share. */
export interface LogServices {
  readonly store: WsRoomStore;
  /** The codec that most clients are likely to use: frames are kept in it. */
  readonly codec: Codec;
  readonly budget: RingBudget;
  /** Bytes that a member that is behind gets before its socket has to take them. */
  readonly pageBytes: number;
  /** Reads of the store, at most some at once. */
  readonly reads: ConcurrencyLimit;
  /** Looks at the top, at most some at once: after a return of the link all rooms are looked at. */
  readonly looks: ConcurrencyLimit;
  readonly names: RoomNames;
  readonly windows: RoomWindows;
  readonly counts: HistoryCounts;
  readonly timings: Timings;
  readonly traces: Pick<LiveTraces, 'isOn' | 'pushed'>;
  readonly runtime: Runtime;
}
