import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { until } from './until.js';

/** A span as OTLP has it in JSON. */
export interface ExportedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly spanId: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { code?: number };
  readonly attributes: { key: string; value: { stringValue?: string } }[];
  readonly events: { name: string }[];
  readonly links: { spanId: string }[];
  /** What has made it. */
  readonly scope: string;
  readonly pid: string;
}

type Attributes = readonly { readonly key: string; readonly value: { readonly intValue?: string | number } }[];

interface Export {
  readonly resourceSpans: {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: {
      readonly scope: { readonly name: string };
      readonly spans: Omit<ExportedSpan, 'scope' | 'pid'>[];
    }[];
  }[];
}

const NOTHING = { startTimeUnixNano: '0' };
const KINDS = ['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

/** A collector of traces as any other: it takes OTLP by HTTP. */
export async function startCollector() {
  const spans: ExportedSpan[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
      const { resourceSpans } = JSON.parse(text) as Export;
      for (const { resource, scopeSpans } of resourceSpans) {
        const pid = String(resource.attributes.find(({ key }) => key === 'process.pid')?.value.intValue);
        for (const { scope, spans: of } of scopeSpans) {
          spans.push(...of.map((span) => ({ ...span, scope: scope.name, pid })));
        }
      }
      response.setHeader('content-type', 'application/json').end('{}');
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    /** The spans of that name, as soon as there are so many. */
    of: async (name: string, count = 1) => {
      await until(() => spans.filter((span) => span.name === name).length >= count);
      return spans.filter((span) => span.name === name);
    },
    /** A trace, each span two blanks behind its parent, in the order in which they began. */
    tree: (traceId: string) => linesOf(spans.filter((span) => span.traceId === traceId)),
  };
}

/** A line of a trace: `  send users INTERNAL`, and how long it took, with the time since the trace began. */
interface TraceLine {
  readonly text: string;
  readonly time: string;
  /** Of the process. */
  readonly pid: string;
}

function linesOf(spans: readonly ExportedSpan[]): TraceLine[] {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  // Their times are whole milliseconds at the begin, so a child may seem to begin before its parent.
  const begin = spans.reduce((first, span) => (at(span) < first ? at(span) : first), at(spans[0] ?? NOTHING));
  const below = (depth: number, isBelow: (span: ExportedSpan) => boolean): TraceLine[] =>
    spans
      .filter(isBelow)
      .sort((one, other) => Number(at(one) - at(other)))
      .flatMap((span) => [
        {
          text: `${'  '.repeat(depth)}${span.name} ${KINDS[span.kind]}`,
          time: `${ms(at(span) - begin)} + ${ms(BigInt(span.endTimeUnixNano) - at(span))}`,
          pid: span.pid,
        },
        ...below(depth + 1, ({ parentSpanId }) => parentSpanId === span.spanId),
      ]);
  return below(0, ({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId));
}

function at({ startTimeUnixNano }: Pick<ExportedSpan, 'startTimeUnixNano'>): bigint {
  return BigInt(startTimeUnixNano);
}

function ms(nanoseconds: bigint): string {
  return `${(Number(nanoseconds) / 1e6).toFixed(1)} ms`;
}
