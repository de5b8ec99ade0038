import { availableParallelism } from 'node:os';
import { version } from '../../version.js';
import type { BenchOptions } from '../options/bench-options.js';
import type { LatencyHistogram } from '../measures/latency-histogram.js';
import type { Busyness } from '../measures/loop-watch.js';
import { isOwnHost } from '../options/own-hosts.js';
import { rounded } from './figures.js';
import { failuresOf, warningsOf } from './verdict.js';
import type { Codes, Counts, Durations, Tally } from '../measures/tally.js';

/** Times in ms, to three digits behind the point. */
export interface Quantiles {
  readonly count: number;
  readonly min: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** One second of a run. */
export interface Moment {
  /** Seconds since the first client dialled. */
  readonly at: number;
  readonly clients: number;
  readonly sent: number;
  readonly received: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What a run has found out, as `--json` writes it. */
export interface BenchReport {
  /** Of this shape: fields may come, and none changes its meaning. */
  readonly version: 1;
  readonly program: string;
  readonly startedAt: string;
  /** Without its query, which may have a token. */
  readonly url: string;
  readonly load: {
    readonly protocol: string;
    readonly clients: number;
    readonly rooms: number;
    readonly roomsPerClient: number;
    readonly senders: number;
    readonly rate: number;
    readonly size: number;
    /** Seconds that were asked for. */
    readonly duration: number;
    readonly ramp: number;
    readonly processes: number;
    readonly send: string;
    readonly expect: string | null;
  };
  /** What a latency is: from one member to the others, or from a request to its answer. */
  readonly measures: 'deliveries' | 'answers';
  /** Seconds for which it was sent. */
  readonly seconds: number;
  readonly clients: {
    /** At the end, and at any time. */
    readonly in: number;
    readonly wereIn: number;
    readonly neverIn: number;
    readonly attempts: number;
    readonly losses: number;
    readonly returns: number;
  };
  readonly messages: Omit<Counts, 'attempts' | 'losses' | 'returns'>;
  /** The part of what was expected that was lost or missed, 0 to 1. */
  readonly loss: number;
  readonly latency: Durations<Quantiles>;
  /** Of `latency.delivery`: how many took at most `upTo` ms, and more than the bucket before. */
  readonly histogram: readonly { readonly upTo: number; readonly count: number }[];
  /** How often, by code: attempts that failed, connections that ended, messages that were refused. */
  readonly codes: { readonly failures: Codes; readonly closes: Codes; readonly errors: Codes };
  readonly timeline: readonly Moment[];
  readonly tool: {
    readonly node: string;
    readonly processors: number;
    /** Of all processors, 0 to 1; null where nothing was sent. */
    readonly machineBusy: number | null;
    readonly processes: readonly Busyness[];
    /** Whether what was measured is the tool's own time as much as the server's. */
    readonly wasBottleneck: boolean;
  };
  readonly warnings: readonly string[];
  /** Why the exit code is 1; empty where it is 0. */
  readonly failures: readonly string[];
  /** Whether it was ended before its time, by Ctrl+C. */
  readonly interrupted: boolean;
}

/** What a run has gathered. */
export interface Outcome {
  readonly options: BenchOptions;
  readonly startedAt: Date;
  readonly seconds: number;
  readonly tally: Tally;
  readonly in: number;
  readonly wereIn: number;
  readonly processes: readonly Busyness[];
  readonly machineBusy: number | null;
  readonly timeline: readonly Moment[];
  readonly warnings: readonly string[];
  readonly isInterrupted: boolean;
}

export function reportOf(outcome: Outcome): BenchReport {
  const { options, tally, processes, machineBusy, wereIn } = outcome;
  const { attempts, losses, returns, ...messages } = tally.counts;
  const { host, pathname, protocol, hostname } = new URL(options.url);
  const { send, expect } = options;
  const report = {
    version: 1 as const,
    program: `nestjs-pxl-websocket ${version()}`,
    startedAt: outcome.startedAt.toISOString(),
    url: `${protocol}//${host}${pathname.replaceAll('%7Bi%7D', '{i}')}`,
    load: {
      protocol: options.protocol,
      clients: options.clients,
      rooms: options.rooms,
      roomsPerClient: options.roomsPerClient,
      senders: options.senders,
      rate: options.rate,
      size: options.size,
      duration: options.duration / 1_000,
      ramp: options.ramp,
      processes: options.processes,
      send: `${send.type}:${send.action}`,
      expect: expect && `${expect.type}:${expect.action}`,
    },
    measures: expect ? ('deliveries' as const) : ('answers' as const),
    seconds: outcome.seconds,
    clients: { in: outcome.in, wereIn, neverIn: options.clients - wereIn, attempts, losses, returns },
    messages,
    loss: messages.expected > 0 ? (messages.lost + messages.missed) / messages.expected : 0,
    latency: {
      delivery: quantilesOf(tally.durations.delivery),
      fromWrite: quantilesOf(tally.durations.fromWrite),
      connection: quantilesOf(tally.durations.connection),
      join: quantilesOf(tally.durations.join),
      away: quantilesOf(tally.durations.away),
      lateness: quantilesOf(tally.durations.lateness),
    },
    histogram: [...tally.durations.delivery.filled()],
    codes: tally.happenings,
    timeline: outcome.timeline,
    interrupted: outcome.isInterrupted,
  };
  const own = warningsOf({ ...report, processes, machineBusy, isOwnHost: isOwnHost(hostname) });
  return {
    ...report,
    tool: {
      node: process.versions.node,
      processors: availableParallelism(),
      machineBusy,
      processes,
      wasBottleneck: own.wasBottleneck,
    },
    warnings: [...outcome.warnings, ...own.sentences],
    failures: failuresOf(report, options),
  };
}

export function quantilesOf(histogram: LatencyHistogram): Quantiles {
  return {
    count: histogram.count,
    min: rounded(histogram.least),
    mean: rounded(histogram.mean),
    p50: rounded(histogram.quantile(0.5)),
    p90: rounded(histogram.quantile(0.9)),
    p99: rounded(histogram.quantile(0.99)),
    p999: rounded(histogram.quantile(0.999)),
    max: rounded(histogram.most),
  };
}
