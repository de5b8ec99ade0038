import type { OnApplicationBootstrap } from '@nestjs/common';
import type { Context, Tracer } from '@opentelemetry/api';
import type { ResolvedTracing } from '../options/observability/tracing.options.js';
import { loadOtel, OtelSpan, type OtelApi } from './otel-span.js';
import { pointOf } from './trace-context.js';
import type { SpanStart, TraceSpan } from './trace-span.js';

/** The name of what makes the spans. */
const SCOPE = 'nestjs-pxl-websocket';

const KINDS = {
  internal: 'INTERNAL',
  server: 'SERVER',
  client: 'CLIENT',
  producer: 'PRODUCER',
  consumer: 'CONSUMER',
} as const;

/**
 * The spans of this worker, in OpenTelemetry. Whoever makes one asks first whether there is an SDK that takes it (`isOn`).
 *
 * An SDK counts that is there when the application is created, or when it begins to listen.
 */
export class Tracing implements OnApplicationBootstrap {
  /** Whether spans are made. */
  isOn = false;
  #api: OtelApi | null = null;
  #tracer: Tracer | null = null;

  constructor(private readonly options: ResolvedTracing) {}

  /** Loads OpenTelemetry's API, if the application has it. Never rejects. */
  async load(): Promise<void> {
    if (!this.options.enabled) return;
    try {
      this.#api = await loadOtel();
    } catch {
      return; // without the package there is no SDK either
    }
    this.look();
  }

  onApplicationBootstrap(): void {
    this.look();
  }

  /** Looks whether there is an SDK now. */
  look(): void {
    this.#tracer ??= this.#api && tracerOf(this.#api);
    this.isOn = this.#tracer !== null;
  }

  /** Whether spans name the user: the option `tracing.userIds`. */
  get showsUsers(): boolean {
    return this.options.userIds;
  }

  /** Whether a span is active here, be it recorded or not. */
  get isInside(): boolean {
    const span = this.#api?.trace.getActiveSpan();
    return span !== undefined && this.#api?.trace.isSpanContextValid(span.spanContext()) === true;
  }

  /** Begins a span. Only while {@link isOn}. */
  begin(name: string, { kind, attributes, parent, headers, link }: SpanStart): TraceSpan {
    const { api, tracer } = this.#parts();
    const around = headers
      ? api.propagation.extract(api.ROOT_CONTEXT, headers)
      : parent === undefined
        ? api.context.active()
        : contextOf(api, parent);
    const links = link ? [{ context: link }] : undefined;
    const span = tracer.startSpan(name, { kind: api.SpanKind[KINDS[kind]], attributes, links }, around);
    return new OtelSpan(api, span, api.trace.setSpan(around, span), kind === 'server');
  }

  /** Runs work in a span of its own, see {@link TraceSpan.cover}. Only while {@link isOn}. */
  within<T>(name: string, start: SpanStart, work: (span: TraceSpan) => T): T {
    const span = this.begin(name, start);
    return span.cover(() => work(span));
  }

  /** The work, as it runs inside of the span that is active now, in whatever async scope it is called. */
  bound<T>(work: () => T): () => T {
    if (!this.isOn) return work;
    const { api } = this.#parts();
    const around = api.context.active();
    return () => api.context.with(around, work);
  }

  #parts(): { api: OtelApi; tracer: Tracer } {
    if (!this.#api || !this.#tracer) throw new Error('There is no SDK of OpenTelemetry.');
    return { api: this.#api, tracer: this.#tracer };
  }
}

/** The provider of the API itself, which has an SDK's one behind it, or none. */
interface Delegating {
  getDelegateTracer(name: string): Tracer | undefined;
}

/** Null: no SDK is there. */
function tracerOf({ trace }: OtelApi): Tracer | null {
  const provider = trace.getTracerProvider();
  if (isDelegating(provider)) return provider.getDelegateTracer(SCOPE) ?? null;
  return provider.getTracer(SCOPE);
}

/** By its method: it may come from another copy of the package. */
function isDelegating(provider: object): provider is Delegating {
  return 'getDelegateTracer' in provider;
}

function contextOf(
  { trace, ROOT_CONTEXT, createTraceState }: OtelApi,
  parent: NonNullable<SpanStart['parent']> | null,
): Context {
  if (!parent) return ROOT_CONTEXT;
  if (!('traceparent' in parent)) return trace.setSpanContext(ROOT_CONTEXT, parent);
  const point = pointOf(parent);
  if (!point) return ROOT_CONTEXT;
  const traceState = parent.tracestate === undefined ? undefined : createTraceState(parent.tracestate);
  return trace.setSpanContext(ROOT_CONTEXT, { ...point, traceState, isRemote: true });
}
