import type { TracePoint, WsTraceContext } from './trace-context.js';

/** What a span says of its work. Undefined: nothing. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** How the span of a work begins. */
export interface SpanStart {
  /** As OpenTelemetry has them. */
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: SpanAttributes;
  /** Null: it begins a trace of its own. Default: the span that is active. */
  readonly parent?: WsTraceContext | TracePoint | null | undefined;
  /** The headers of a request, which may name the parent. Only beside no `parent`. */
  readonly headers?: object | undefined;
  /** A span of another trace that it comes from. */
  readonly link?: TracePoint | null | undefined;
}

/** A span of OpenTelemetry, whether it is recorded or not. */
export interface TraceSpan {
  readonly point: TracePoint;
  /** The span, as an envelope names it. */
  readonly carried: WsTraceContext;
  /** Runs work inside of the span: there it is the active one, also after an `await`. */
  run<T>(work: () => T): T;
  /** Runs all of the work, which is over when its promise settles, and ends the span. Throws and rejects as the work does. */
  cover<T>(work: () => T): T;
  set(attributes: SpanAttributes): void;
  /** The work has ended in an error with this code, which is an answer and no defect. */
  refused(code: string): void;
  /** The work has failed: a defect, or something that it needs is not there. */
  failed(thrown: unknown): void;
  /** Further calls do nothing. */
  end(): void;
}
