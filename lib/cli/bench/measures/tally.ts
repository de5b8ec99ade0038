import { LatencyHistogram, type HistogramData } from './latency-histogram.js';

/** What is counted. */
export interface Counts {
  /** Attempts to connect. */
  attempts: number;
  /** Connections that were in their rooms and ended, without the tool's doing. */
  losses: number;
  /** Clients that came back after that. */
  returns: number;
  sent: number;
  /** Messages that were due while their sender was away. */
  unsent: number;
  /** Receipts that were expected, and those that came. */
  expected: number;
  received: number;
  /** What did not come although the receiver was there. */
  lost: number;
  /** What did not come since the receiver was away when it was sent. */
  missed: number;
  repeated: number;
  /** Came after a later message of the same sender. */
  outOfOrder: number;
  /** Came to a client that is in none of the message's rooms. */
  astray: number;
}

/** What takes how long, ms. */
export interface Durations<Value> {
  /** From the moment for which a message was planned to its receipt, or to its answer. */
  delivery: Value;
  /** The same from the moment at which it was written. */
  fromWrite: Value;
  /** From dialling to the welcome. */
  connection: Value;
  /** From the welcome until all joins were answered. */
  join: Value;
  /** From a loss until the client was in its rooms again. */
  away: Value;
  /** From the moment for which a message was planned until it was written: the tool's own doing. */
  lateness: Value;
}

/** How often something happened, by its code. */
export type Codes = Record<string, number>;

/** What happened, by code: attempts that failed, connections that ended, refused messages. */
export interface Happenings {
  failures: Codes;
  closes: Codes;
  errors: Codes;
}

/** A tally as text of JSON. */
export interface TallyData {
  readonly counts: Counts;
  readonly durations: Durations<HistogramData>;
  readonly happenings: Happenings;
}

/** Everything that one process, or all of them together, have counted. */
export class Tally {
  readonly counts: Counts = {
    attempts: 0,
    losses: 0,
    returns: 0,
    sent: 0,
    unsent: 0,
    expected: 0,
    received: 0,
    lost: 0,
    missed: 0,
    repeated: 0,
    outOfOrder: 0,
    astray: 0,
  };
  readonly durations: Durations<LatencyHistogram> = {
    delivery: new LatencyHistogram(),
    fromWrite: new LatencyHistogram(),
    connection: new LatencyHistogram(),
    join: new LatencyHistogram(),
    away: new LatencyHistogram(),
    lateness: new LatencyHistogram(),
  };
  readonly happenings: Happenings = { failures: {}, closes: {}, errors: {} };

  happened(kind: keyof Happenings, code: string, times = 1): void {
    const codes = this.happenings[kind];
    codes[code] = (codes[code] ?? 0) + times;
  }

  toJSON(): TallyData {
    const { counts, durations, happenings } = this;
    return {
      counts,
      durations: {
        delivery: durations.delivery.toJSON(),
        fromWrite: durations.fromWrite.toJSON(),
        connection: durations.connection.toJSON(),
        join: durations.join.toJSON(),
        away: durations.away.toJSON(),
        lateness: durations.lateness.toJSON(),
      },
      happenings,
    };
  }

  add({ counts, durations, happenings }: TallyData): void {
    for (const name of keysOf(counts)) this.counts[name] += counts[name];
    for (const name of keysOf(durations)) this.durations[name].add(durations[name]);
    for (const kind of keysOf(happenings)) {
      for (const [code, times] of Object.entries(happenings[kind])) this.happened(kind, code, times);
    }
  }
}

function keysOf<Key extends string>(object: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(object) as Key[];
}
