import type { AbstractHttpAdapter } from '@nestjs/core';

/**
 * Answers a plain GET on an endpoint's path with 426. Registered after the application's own routes, which win: Express
 * asks them first, and Fastify refuses a second handler for the same path.
 */
export function upgradeRequired(httpAdapter: AbstractHttpAdapter, path: string): void {
  const answer = (_request: unknown, response: unknown): void => {
    httpAdapter.setHeader(response, 'Upgrade', 'websocket');
    httpAdapter.setHeader(response, 'Connection', 'Upgrade, close');
    httpAdapter.reply(response, 'This is a WebSocket endpoint: upgrade required.', 426);
  };
  try {
    httpAdapter.get(path, answer);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'FST_ERR_DUPLICATED_ROUTE') throw error;
  }
}
