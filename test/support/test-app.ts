import { afterEach } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PxlWebSocketModule, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { createWsTestApp, type WsTestApp, type WsTestAppOptions } from 'nestjs-pxl-websocket/testing';
import { createApplication } from '../../lib/testing/create-application.js';

/** The two HTTP platforms of Nest; `describe.each(PLATFORMS)` runs a suite on both. */
export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface TestAppOptions extends WsTestAppOptions {
  /** The module's options; `imports` may bring the module itself instead, with `options: false`. */
  options?: PxlWebSocketModuleOptions | false;
  platform?: Platform;
}

export type TestApp = WsTestApp;

/** An application that listens on a free port. */
export function startApp(test: TestAppOptions = {}): Promise<TestApp> {
  return createWsTestApp(partsOf(test));
}

/** For a spec whose tests start one application each: what starts it; it is closed after the test. */
export function startsOneApp(): (test: TestAppOptions) => Promise<TestApp> {
  let running: TestApp | undefined;
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });
  return async (test) => (running = await startApp(test));
}

/** The same application, created and neither initialized nor listening. */
export function createApp(test: TestAppOptions = {}): Promise<INestApplication> {
  return createApplication(partsOf(test));
}

function partsOf({ options = {}, platform, imports = [], ...parts }: TestAppOptions): WsTestAppOptions {
  return {
    logger: false,
    ...parts,
    imports: options ? [PxlWebSocketModule.forRoot(options), ...imports] : imports,
    httpAdapter: parts.httpAdapter ?? (platform === 'fastify' ? new FastifyAdapter() : undefined),
  };
}
