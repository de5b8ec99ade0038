import { WsError } from '../errors/ws.error.js';
import { isTraceSubject } from '../cluster/calls/inspection.js';
import { TRACED_PER_SECOND } from '../clients/traces/live-trace.js';
import { fieldsOf } from '../routing/message-fields.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import type { Inspector } from '../server/inspection/inspector.js';
import type { ConsoleAbout, TraceBatch, TraceSubject } from './console-contract.js';

/** Milliseconds between two questions. */
const PERIOD = 250;
/** Seconds of the longest trace, and of a usual one. */
const LONGEST = 300;
const USUAL = 60;
/** Traces of one page at a time. */
const MOST = 3;

/** What pages are told of the limits. */
export const TRACE_LIMITS: Omit<ConsoleAbout['limits'], 'page'> = {
  traceSeconds: LONGEST,
  traceEventsPerSecond: TRACED_PER_SECOND,
  traces: MOST,
};

/** Who follows a trace. */
export interface TraceListener {
  events(batch: TraceBatch): void;
  ended(traceId: string, reason: 'time' | 'stopped'): void;
  failed(error: unknown): void;
}

interface OpenTrace {
  readonly owner: object;
  readonly subject: TraceSubject;
  readonly endsAt: number;
  readonly listener: TraceListener;
  timer: RuntimeTimer | null;
}

/** The traces of the pages of this worker: of each, all workers are asked what has happened, until its time is over. */
export class ConsoleTraces {
  readonly #traces = new Map<string, OpenTrace>();

  constructor(
    private readonly inspector: Inspector,
    private readonly payloads: boolean,
    private readonly runtime: Runtime,
  ) {}

  /** Resolves once the workers follow it. */
  async start(owner: object, data: unknown, listener: TraceListener): Promise<{ traceId: string; endsAt: number }> {
    const { subject, seconds = USUAL } = fieldsOf(data);
    const isTime = typeof seconds === 'number' && seconds >= 1 && seconds <= LONGEST;
    if (!isTraceSubject(subject) || !isTime) {
      throw new WsError('BAD_MESSAGE', `A trace has a user, a client or a room, and takes 1 to ${LONGEST} seconds.`);
    }
    if ([...this.#traces.values()].filter((trace) => trace.owner === owner).length >= MOST) {
      throw new WsError('RATE_LIMITED', `A page follows ${MOST} at most.`);
    }
    const traceId = this.runtime.randomId(9);
    const lasts = seconds * 1_000;
    const trace = { owner, subject, endsAt: this.runtime.monotonic() + lasts, listener, timer: null };
    this.#traces.set(traceId, trace);
    await this.#ask(traceId, trace);
    return { traceId, endsAt: this.runtime.now() + lasts };
  }

  /** Does nothing for a trace of another page, or that has ended. */
  stop(owner: object, traceId: unknown): void {
    const trace = typeof traceId === 'string' ? this.#traces.get(traceId) : undefined;
    if (typeof traceId === 'string' && trace?.owner === owner) this.#end(traceId, trace, 'stopped');
  }

  stopAll(owner: object): void {
    for (const traceId of [...this.#traces.keys()]) this.stop(owner, traceId);
  }

  async #ask(traceId: string, trace: OpenTrace): Promise<void> {
    try {
      await this.#read(traceId, trace, false);
    } catch (error) {
      trace.listener.failed(error);
    }
    if (!this.#traces.has(traceId)) return;
    const left = trace.endsAt - this.runtime.monotonic();
    trace.timer = this.runtime.timeout(Math.max(0, Math.min(PERIOD, left)), () => {
      if (this.runtime.monotonic() >= trace.endsAt) this.#end(traceId, trace, 'time');
      else void this.#ask(traceId, trace);
    });
  }

  #end(traceId: string, trace: OpenTrace, reason: 'time' | 'stopped'): void {
    this.#traces.delete(traceId);
    trace.timer?.cancel();
    const { listener } = trace;
    const last = this.#read(traceId, trace, true).catch((error: unknown) => listener.failed(error));
    void last.then(() => listener.ended(traceId, reason));
  }

  async #read(traceId: string, { subject, listener }: OpenTrace, isOver: boolean): Promise<void> {
    const { payloads } = this;
    const found = await this.inspector.ask<'trace'>({ what: 'trace', traceId, subject, payloads, isOver });
    const events = found.answers.flatMap(({ value }) => value.events).sort((a, b) => a.at - b.at);
    const omitted = found.answers.reduce((sum, { value }) => sum + value.omitted, 0);
    const missing = [...found.silent, ...found.older];
    if (events.length + omitted + missing.length > 0) listener.events({ traceId, events, omitted, missing });
  }
}
