import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import { until } from './until.js';

/** A span as OTLP has it in JSON. */
export interface ExportedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly spanId: string;
  readonly status: { code?: number };
  readonly attributes: { key: string; value: { stringValue?: string } }[];
  readonly events: { name: string }[];
}

/** A collector of traces as any other: it takes OTLP by HTTP. */
export async function startCollector() {
  const spans: ExportedSpan[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
      const { resourceSpans } = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: ExportedSpan[] }[] }[] };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
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
  };
}
