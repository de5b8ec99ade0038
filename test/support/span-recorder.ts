import { context, propagation, SpanKind, trace, type Span } from '@opentelemetry/api';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { eventually } from '../../lib/testing/eventually.js';

type Recorded = ReturnType<InMemorySpanExporter['getFinishedSpans']>[number];

/** An SDK of OpenTelemetry that keeps what has ended. One at a time: it is the process' own. */
export class SpanRecorder {
  #exporter = new InMemorySpanExporter();
  #provider = this.#providerOf(this.#exporter);

  start(): void {
    this.#exporter = new InMemorySpanExporter();
    this.#provider = this.#providerOf(this.#exporter);
    this.#provider.register();
  }

  async stop(): Promise<void> {
    await this.#provider.shutdown();
    trace.disable();
    context.disable();
    propagation.disable();
  }

  get spans(): Recorded[] {
    return this.#exporter.getFinishedSpans();
  }

  clear(): void {
    this.#exporter.reset();
  }

  /** Runs work in a span of the test's own, which begins a trace. */
  root<T>(work: (span: Span) => Promise<T>): Promise<T> {
    return trace.getTracer('test').startActiveSpan('request', { root: true }, async (span) => {
      try {
        return await work(span);
      } finally {
        span.end();
      }
    });
  }

  /** The spans of that name, as soon as there are so many. */
  async named(name: string, count = 1): Promise<Recorded[]> {
    const found = (): Recorded[] => this.spans.filter((span) => span.name === name);
    await eventually(
      `${count} spans ${name}, of ${this.spans.map((span) => span.name).join(', ')}`,
      () => found().length >= count,
    );
    return found();
  }

  async one(name: string): Promise<Recorded> {
    const [span] = await this.named(name);
    if (!span) throw new Error(`There is no span ${name}.`);
    return span;
  }

  /** A trace as lines, each span two blanks behind its parent: `send users internal`. */
  tree(traceId: string): string[] {
    const ofTrace = this.spans.filter((span) => span.spanContext().traceId === traceId);
    const ids = new Set(ofTrace.map((span) => span.spanContext().spanId));
    const below = (parent: string | undefined, depth: number): string[] =>
      ofTrace
        .filter(({ parentSpanContext: above }) =>
          parent === undefined ? !above || !ids.has(above.spanId) : above?.spanId === parent,
        )
        .sort((one, other) => one.name.localeCompare(other.name))
        .flatMap((span) => [
          `${' '.repeat(2 * depth)}${span.name} ${SpanKind[span.kind].toLowerCase()}`,
          ...below(span.spanContext().spanId, depth + 1),
        ]);
    return below(undefined, 0);
  }

  #providerOf(exporter: InMemorySpanExporter): NodeTracerProvider {
    return new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  }
}
