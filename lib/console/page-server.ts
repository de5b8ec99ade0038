import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { pathOf } from '../transport/upgrade/upgrade-request.js';
import type { ConsoleGuard } from './console-guard.js';
import { INDEX, type PageFile } from './page-files.js';

/** What the page may do: nothing but load its own files and talk to its own server, and stand in no frame. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'X-Robots-Tag': 'noindex',
};

const TEXT = 'text/plain; charset=utf-8';
const BODIES: Readonly<Record<number, string>> = {
  401: 'Unauthorized.',
  403: 'Forbidden.',
  404: 'Nothing is here.',
  500: 'Internal server error.',
};

type Request = Pick<IncomingMessage, 'url' | 'headers'> & {
  readonly originalUrl?: string;
  /** Node has handed the request to the server's upgrade listeners. */
  readonly upgrade?: boolean | null;
};

/** What is used of Fastify, which is no dependency of this package. */
interface FastifyReply {
  readonly sent: boolean;
  code(status: number): FastifyReply;
  headers(headers: Readonly<Record<string, string>>): FastifyReply;
  send(body: Buffer | string): FastifyReply;
  hijack(): unknown;
}

interface FastifyRoutes {
  route(options: {
    method: string;
    url: string;
    onRequest(request: { readonly raw: Request }, reply: FastifyReply, done: () => void): void;
    handler(request: object & { readonly raw: Request }, reply: FastifyReply): Promise<FastifyReply>;
  }): unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

/** Serves the page and its files to whom the guard lets in. */
export class PageServer {
  constructor(
    private readonly path: string,
    private readonly files: ReadonlyMap<string, PageFile>,
    private readonly guard: ConsoleGuard,
  ) {}

  /** Adds the routes, behind the application's own, and apart from what stands around its controllers: global guards and so on. */
  addTo(adapter: AbstractHttpAdapter): void {
    const paths = [this.path, `${this.path}/`, `${this.path}/:file`];
    if (adapter.getType() === 'fastify') {
      const server = adapter.getInstance<FastifyRoutes>();
      for (const url of paths) this.#addToFastify(server, url);
      return;
    }
    for (const path of paths) {
      adapter.get(path, async (request: Request, response: ServerResponse) => {
        const answer = await this.#answer(request, request, response);
        if (response.headersSent || response.writableEnded) return; // by the guard: a log-in, say
        response.writeHead(answer.status, answer.headers).end(answer.body);
      });
    }
  }

  #addToFastify(server: FastifyRoutes, url: string): void {
    try {
      server.route({
        method: 'GET',
        url,
        // Plugins for WebSockets and proxies send upgrades through the routes: ours are answered by the upgrade listener.
        onRequest: ({ raw }, reply, done) => {
          if (raw.upgrade) reply.hijack();
          else done();
        },
        handler: async (request, reply) => {
          const { status, headers, body } = await this.#answer(request.raw, request, reply);
          return reply.sent ? reply : reply.code(status).headers(headers).send(body);
        },
      });
    } catch (error) {
      const { code } = error as { code?: string };
      // With `ignoreTrailingSlash` two of the paths are one.
      if (code !== 'FST_ERR_DUPLICATED_ROUTE') throw error;
    }
  }

  /** @param platform the request as guards of controllers get it */
  async #answer(request: Request, platform: object, response: object): Promise<Answer> {
    const path = pathOf({ url: request.originalUrl ?? request.url });
    const [folder, file] = [path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1)];
    const isBase = path === this.path;
    const refused = await this.guard.ask({ kind: 'page', file: isBase ? '' : file }, platform, response);
    if (refused !== undefined) return textAnswer(refused);
    // Relative, so that a proxy may have cut or added something before it.
    if (isBase) return { status: 302, headers: { ...HEADERS, ...UNSTORED, Location: `${file}/` }, body: '' };
    // Routers take other spellings for the same, in capitals or with one more slash: from there the page would not find its socket.
    const found = folder === this.path ? this.files.get(file === '' ? INDEX : file) : undefined;
    return found ? fileAnswer(found, request.headers['if-none-match'], file === '') : textAnswer(404);
  }
}

const UNSTORED = { 'Cache-Control': 'no-store' };

function fileAnswer({ body, type, tag }: PageFile, known: string | undefined, isPage: boolean): Answer {
  const headers = { ...HEADERS, 'Content-Type': type };
  if (isPage) return { status: 200, headers: { ...headers, ...UNSTORED }, body };
  const cached = { ...headers, 'Cache-Control': 'private, no-cache', ETag: tag };
  const isKnown = known?.split(',').some((one) => one.trim().replace(/^W\//, '') === tag) ?? false;
  return isKnown ? { status: 304, headers: cached, body: '' } : { status: 200, headers: cached, body };
}

function textAnswer(status: number): Answer {
  return { status, headers: { ...HEADERS, ...UNSTORED, 'Content-Type': TEXT }, body: BODIES[status] ?? 'Refused.' };
}
