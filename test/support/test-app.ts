import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';
import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { PxlWebSocketModule, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { TestClient } from './test-client.js';

/** The two HTTP platforms of Nest; `describe.each(PLATFORMS)` runs a suite on both. */
export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

export interface TestAppOptions extends ModuleMetadata {
  /** The module's options; `imports` may bring the module itself instead, with `options: false`. */
  options?: PxlWebSocketModuleOptions | false;
  platform?: Platform;
  logger?: LoggerService | false;
  /** Changes the testing module before it is compiled. */
  override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Changes the application before it is initialized. */
  configure?: (app: INestApplication) => void | Promise<void>;
}

/** An application that listens on a free port. */
export interface TestApp {
  app: INestApplication;
  port: number;
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** The WebSocket url of a path. */
  url(path?: string): string;
  /** A connected client, its welcome taken; closed with the application. */
  client(path?: string): Promise<TestClient>;
  close(): Promise<void>;
}

export async function startApp(test: TestAppOptions = {}): Promise<TestApp> {
  const app = await createApp(test);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const url = (path = '/ws'): string => `ws://127.0.0.1:${port}${path}`;
  const clients: TestClient[] = [];
  return {
    app,
    port,
    origin: `http://127.0.0.1:${port}`,
    url,
    async client(path) {
      const client = await TestClient.connect(url(path));
      clients.push(client);
      return client;
    },
    async close() {
      await app.close();
      for (const client of clients) client.socket.terminate();
    },
  };
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
  const { options = {}, platform = 'express', logger = false, override, configure, ...metadata } = test;
  const imports = [...(options ? [PxlWebSocketModule.forRoot(options)] : []), ...(metadata.imports ?? [])];
  const builder = Test.createTestingModule({ ...metadata, imports });
  const module = await (override?.(builder) ?? builder).compile();
  const settings = { logger };
  const app =
    platform === 'fastify'
      ? module.createNestApplication(new FastifyAdapter(), settings)
      : module.createNestApplication(settings);
  await configure?.(app);
  return app;
}
