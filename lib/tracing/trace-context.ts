/** A span as W3C writes it (Trace Context), to name it to another process. */
export interface WsTraceContext {
  /** `00-<trace id>-<span id>-<flags>`. */
  readonly traceparent: string;
  /** What vendors add. */
  readonly tracestate?: string | undefined;
}

/** A span, to be the parent of another one, or linked by it. */
export interface TracePoint {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

/** Characters of a `traceparent`. */
const LENGTH = 55;
/** Characters of a `tracestate` that W3C has everybody pass on; a longer one is dropped. */
const LONGEST_STATE = 512;
const TRACEPARENT = /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/;

/** @param state the `tracestate`; empty: there is none */
export function writeTrace({ traceId, spanId, traceFlags }: TracePoint, state: string | undefined): WsTraceContext {
  const flags = traceFlags.toString(16).padStart(2, '0');
  const tracestate = state === undefined || state === '' || state.length > LONGEST_STATE ? undefined : state;
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate };
}

/** What came from another process as a trace; undefined when it is none. What it names is read when it is used. */
export function traceOf({
  traceparent,
  tracestate,
}: Partial<Record<keyof WsTraceContext, unknown>>): WsTraceContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length !== LENGTH) return undefined;
  const isState = typeof tracestate === 'string' && tracestate.length <= LONGEST_STATE;
  return { traceparent, tracestate: isState ? tracestate : undefined };
}

/** Undefined for a malformed one, and for one of another version. */
export function pointOf({ traceparent }: WsTraceContext): TracePoint | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}

/** Whether both are in one trace. */
export function areOfOneTrace(one: WsTraceContext | undefined, other: WsTraceContext | undefined): boolean {
  // `00-` and the trace's id.
  return one !== undefined && one.traceparent.slice(0, 35) === other?.traceparent.slice(0, 35);
}
