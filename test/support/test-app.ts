import { afterEach } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { PxlWebSocketModule, type PxlWebSocketModuleOptions, type WebSocketContract } from 'nestjs-pxl-websocket';
import {
  createWsTestApp,
  type WsTestApp,
  type WsTestAppClientOptions,
  type WsTestAppOptions,
  type WsTestClient,
} from 'nestjs-pxl-websocket/testing';
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

/** How long its clients wait, in ms. */
const PATIENCE = 15_000;

/** An application that listens on a free port. Its clients wait for as long as a busy machine may need. */
export async function startApp(test: TestAppOptions = {}): Promise<TestApp> {
  const app = await createWsTestApp(await partsOf(test));
  const client = <C extends WebSocketContract>(options?: WsTestAppClientOptions): Promise<WsTestClient<C>> =>
    app.client<C>({ patience: PATIENCE, ...options });
  return { ...app, client };
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
export async function createApp(test: TestAppOptions = {}): Promise<INestApplication> {
  return createApplication(await partsOf(test));
}

async function partsOf({ options = {}, platform, imports = [], ...parts }: TestAppOptions): Promise<WsTestAppOptions> {
  return {
    logger: false,
    ...parts,
    imports: options ? [PxlWebSocketModule.forRoot(options), ...imports] : imports,
    httpAdapter: parts.httpAdapter ?? (platform === 'fastify' ? await fastifyAdapter() : undefined),
  };
}

/** Loaded only where it is asked for: each spec file loads all its modules anew. */
async function fastifyAdapter(): Promise<AbstractHttpAdapter> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  return new FastifyAdapter();
}
