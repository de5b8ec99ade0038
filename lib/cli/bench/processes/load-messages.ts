import type { BenchOptions } from '../options/bench-options.js';
import type { HistogramData } from '../measures/latency-histogram.js';
import type { Busyness } from '../measures/loop-watch.js';
import type { HostAddress } from '../options/own-hosts.js';
import type { TallyData } from '../measures/tally.js';

/** One process's share of the clients: those whose number is `number`, `number + of`, … */
export interface Share {
  readonly number: number;
  readonly of: number;
}

/** How many messages of a stream had their turn, and which of them were not sent since the sender was away. */
export type SentOfStream = readonly [stream: number, count: number, unsent: readonly number[]];

/** What the first process tells one with clients. Moments are those of `MachineClock`. */
export type LoadCommand =
  | { readonly kind: 'prepare'; options: BenchOptions; run: string; address: HostAddress; share: Share }
  | { readonly kind: 'connect'; startAt: number; offset: number }
  | { readonly kind: 'send'; startAt: number }
  /** Connects and sends no more. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'settle'; sent: readonly SentOfStream[] }
  /** Its clients leave, and it ends. */
  | { readonly kind: 'leave' };

/** What it is told. */
export type LoadNews =
  | { readonly kind: 'ready'; now: number }
  | { readonly kind: 'state'; state: LoadState }
  | { readonly kind: 'sent'; sent: readonly SentOfStream[] }
  | { readonly kind: 'settled'; tally: TallyData; in: number; wereIn: number; busyness: Busyness };

/** How it goes in one process. */
export interface LoadState {
  /** Clients that are in their rooms, and those that have ended for good. */
  readonly in: number;
  readonly gone: number;
  /** From the start. */
  readonly sent: number;
  readonly received: number;
  /** Of what has been overtaken. */
  readonly missing: number;
  readonly losses: number;
  readonly returns: number;
  readonly failures: number;
  /** Latencies since the state before. */
  readonly recent: HistogramData;
}
