import type { Context, Span } from '@opentelemetry/api';
import { asError, isInstanceOf } from '../errors/as-error.js';
import { WsError } from '../errors/ws.error.js';
import { isThenable } from '../runtime/thenable.js';
import { writeTrace, type TracePoint, type WsTraceContext } from './trace-context.js';
import type { SpanAttributes, TraceSpan } from './trace-span.js';

type Package = typeof import('@opentelemetry/api');

/** What is used of the package. Not its namespace: looking things up there takes time, and each message does it. */
export type OtelApi = Pick<
  Package,
  'context' | 'trace' | 'propagation' | 'ROOT_CONTEXT' | 'createTraceState' | 'SpanStatusCode' | 'SpanKind'
>;

export async function loadOtel(): Promise<OtelApi> {
  const { context, trace, propagation, ROOT_CONTEXT, createTraceState, SpanStatusCode, SpanKind } =
    await import('@opentelemetry/api');
  return { context, trace, propagation, ROOT_CONTEXT, createTraceState, SpanStatusCode, SpanKind };
}

/** Codes that tell of the server, not of what was asked of it; those of HTTP too. */
const FAULTS = /^(?:INTERNAL|TIMEOUT|UNAVAILABLE|5\d\d)$/;

export class OtelSpan implements TraceSpan {
  #isEnded = false;

  /**
   * @param context in which the span is the active one
   * @param isServer whether a refusal is the asker's affair, as a 403 is
   */
  constructor(
    private readonly api: OtelApi,
    private readonly span: Span,
    private readonly context: Context,
    private readonly isServer: boolean,
  ) {}

  get point(): TracePoint {
    return this.span.spanContext();
  }

  get carried(): WsTraceContext {
    const point = this.span.spanContext();
    return writeTrace(point, point.traceState?.serialize());
  }

  run<T>(work: () => T): T {
    return this.api.context.with(this.context, work);
  }

  cover<T>(work: () => T): T {
    let result: T;
    try {
      result = this.run(work);
    } catch (thrown) {
      this.#endBy(thrown);
      throw thrown;
    }
    if (isThenable(result)) {
      result.then(
        () => this.end(),
        (reason: unknown) => this.#endBy(reason),
      );
    } else {
      this.end();
    }
    return result;
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes(attributes);
  }

  refused(code: string): void {
    if (this.#isEnded) return;
    this.span.setAttribute('error.type', code);
    if (!this.isServer || FAULTS.test(code)) this.span.setStatus({ code: this.api.SpanStatusCode.ERROR });
  }

  failed(thrown: unknown): void {
    if (this.#isEnded) return;
    const error = asError(thrown);
    this.span.setAttribute('error.type', isInstanceOf(thrown, WsError) ? thrown.code : 'INTERNAL');
    this.span.recordException(error);
    this.span.setStatus({ code: this.api.SpanStatusCode.ERROR, message: error.message });
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.span.end();
  }

  #endBy(thrown: unknown): void {
    if (isInstanceOf(thrown, WsError)) this.refused(thrown.code);
    else this.failed(thrown);
    this.end();
  }
}
