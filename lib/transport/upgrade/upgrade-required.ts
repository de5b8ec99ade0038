import type { IncomingMessage } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { isParameter } from '../../options/checks/path-pattern.js';

const BODY = 'This is a WebSocket endpoint: upgrade required.';

/** What is used of a Fastify instance, which is no dependency of this package. */
interface FastifyRoutes {
  route(options: {
    method: string;
    url: string;
    onRequest(request: FastifyRequest, reply: FastifyReply, done: () => void): void;
    handler(request: FastifyRequest, reply: FastifyReply): unknown;
  }): unknown;
}

interface FastifyRequest {
  readonly raw: Request;
}

interface FastifyReply {
  hijack(): unknown;
}

/** `upgrade`: Node has handed the request to the server's upgrade listeners. */
type Request = Pick<IncomingMessage, 'httpVersionMajor'> & { readonly upgrade?: boolean | null };

/**
 * Answers a plain GET on an endpoint's path with 426. Registered after the application's own routes, which win: Express
 * asks them first, and Fastify refuses a second handler for the same path. A pattern of parameters alone (`/:tenant`) fits
 * pages of the application too, so that it answers no plain request.
 */
export function upgradeRequired(httpAdapter: AbstractHttpAdapter, path: string): void {
  const segments = path.split('/').slice(1);
  if (segments.some(isParameter) && segments.every((segment) => segment === '' || isParameter(segment))) return;
  const answer = (request: Request, response: unknown): void => {
    // HTTP/2 has no such headers, and Node throws when they are set on one of its responses (RFC 9113, 8.2.2).
    if (request.httpVersionMajor < 2) {
      httpAdapter.setHeader(response, 'Upgrade', 'websocket');
      httpAdapter.setHeader(response, 'Connection', 'Upgrade, close');
    }
    httpAdapter.reply(response, BODY, 426);
  };
  if (httpAdapter.getType() !== 'fastify') {
    httpAdapter.get(routeOf(segments, forExpress), answer);
    return;
  }
  try {
    httpAdapter.getInstance<FastifyRoutes>().route({
      method: 'GET',
      url: routeOf(segments, forFastify),
      // @fastify/websocket and @fastify/http-proxy send every upgrade through the routes, and would shake hands for it in
      // the handler. Ours are answered by the upgrade listener alone.
      onRequest: (request, reply, done) => {
        if (request.raw.upgrade) reply.hijack();
        else done();
      },
      handler: ({ raw }, reply) => {
        answer(raw, reply);
        return reply;
      },
    });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'FST_ERR_DUPLICATED_ROUTE') throw error;
  }
}

/** The route of an endpoint's path: its parameters are the router's too, everything else is meant as it stands. */
function routeOf(segments: readonly string[], literal: (segment: string, at: number) => string): string {
  return segments.map((segment, at) => `/${isParameter(segment) ? segment : literal(segment, at)}`).join('');
}

/** Of path-to-regexp. */
function forExpress(segment: string): string {
  return segment.replace(/[!()*+:?[\\\]{}]/g, '\\$&');
}

/** Of find-my-way, which decodes paths before it looks at them, and cannot escape an asterisk but in a parameter. */
function forFastify(segment: string, at: number): string {
  const escaped = decoded(segment).replaceAll(':', '::');
  return escaped.includes('*') ? `:segment${at}(^${escaped.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')}$)` : escaped;
}

function decoded(segment: string): string {
  try {
    return decodeURI(segment);
  } catch {
    return segment;
  }
}
