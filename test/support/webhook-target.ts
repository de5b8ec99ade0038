import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './until.js';

/** A webhook as it came. */
export interface TakenWebhook {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** Answers a request; what does not end it leaves it open. */
export type WebhookAnswer = (response: ServerResponse, request: TakenWebhook) => void;

const taken: WebhookAnswer = (response) => response.writeHead(204).end();

/** Somebody else's HTTP server that gets webhooks. */
export class WebhookTarget {
  /** In the order in which they came. */
  readonly requests: TakenWebhook[] = [];
  answer = taken;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { type, data } = JSON.parse(body) as TakenWebhook;
        const webhook = { path: request.url!, headers: request.headers, body, type, data };
        this.requests.push(webhook);
        this.answer(response, webhook);
      });
    });
  }

  static async start(): Promise<WebhookTarget> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WebhookTarget(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hooks`;
  }

  get ids(): (string | undefined)[] {
    return this.requests.map(({ headers }) => headers['webhook-id'] as string | undefined);
  }

  /** What was told, as `userConnected 7`. */
  get told(): string[] {
    return this.requests.map(({ type, data }) => `${type} ${String(data.userId ?? data.roomName)}`);
  }

  takes(answer: WebhookAnswer = taken): void {
    this.answer = answer;
  }

  /** Answers with a status, and takes nothing. */
  refuses(status: number, headers: Record<string, string> = {}): void {
    this.answer = (response) => response.writeHead(status, headers).end('no');
  }

  async has(count: number): Promise<void> {
    await until(`${count} webhooks have come`, () => this.requests.length >= count);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** The signature as the text of Standard Webhooks describes it, made without the library. */
export function standardSignature(secret: string, { headers, body }: TakenWebhook): string {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
}
