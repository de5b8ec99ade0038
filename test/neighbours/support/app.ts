import { afterEach } from 'node:test';
import { PxlWebSocketModule, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { createWsTestApp, type WsTestApp, type WsTestAppOptions } from 'nestjs-pxl-websocket/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** The two HTTP platforms of Nest, as the table of results names them. */
export const PLATFORMS = ['Express', 'Fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface AppOptions extends WsTestAppOptions {
  /** The module's options; false: the application brings the module itself. */
  options?: PxlWebSocketModuleOptions | false;
  platform?: Platform;
}

/** For the tests of a suite: starts an application each, which is closed after the test. */
export function startsApps(): (test: AppOptions) => Promise<WsTestApp> {
  const running: WsTestApp[] = [];
  afterEach(async () => {
    for (const app of running.splice(0)) await app.close();
  });
  return async ({ options = {}, platform, imports = [], ...parts }) => {
    const app = await createWsTestApp({
      // What configures a logger of its own gets the lines of the start too.
      ...(parts.configure ? {} : { logger: false }),
      ...parts,
      imports: options ? [PxlWebSocketModule.forRoot(options), ...imports] : imports,
      httpAdapter: parts.httpAdapter ?? (platform === 'Fastify' ? new FastifyAdapter() : undefined),
    });
    running.push(app);
    return app;
  };
}
