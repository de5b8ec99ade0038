import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { PathPattern } from '../options/checks/path-pattern.js';
import type { WebSocketContract } from '../protocol/contract.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { createApplication } from './create-application.js';
import type { WsTestAppOptions } from './ws-test-app-options.interface.js';
import type { WsTestApp, WsTestAppClientOptions } from './ws-test-app.interface.js';
import { WsTestClient } from './ws-test-client.js';

/**
 * Starts an application on a free port, with real sockets, for end-to-end tests in any test runner.
 *
 * @throws the error with which the application fails to start; everything is closed then
 * @example
 * const { client, close } = await createWsTestApp({ module: AppModule });
 * const ada = await client({ token });
 * await ada.request('chat', 'send', { text: 'Hello' });
 * await close();
 */
export async function createWsTestApp(options: WsTestAppOptions): Promise<WsTestApp> {
  const app = await createApplication(options);
  try {
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  return testAppOf(app);
}

function testAppOf(app: INestApplication): WsTestApp {
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const clients: WsTestClient[] = [];
  let closed: Promise<void> | null = null;
  const url = (path = ownPath(app)): string => `ws://127.0.0.1:${port}${path}`;
  const close = async (): Promise<void> => {
    // A paused client would not read the close frame, for whose answer the server waits.
    for (const { socket } of clients) socket.resume();
    await app.close();
    for (const { socket } of clients) socket.terminate();
    await Promise.all(clients.map((client) => client.closed));
  };
  return {
    app,
    port,
    origin: `http://127.0.0.1:${port}`,
    url,
    client: async <C extends WebSocketContract>({ path, ...options }: WsTestAppClientOptions = {}) => {
      const client = await WsTestClient.connect<C>(url(path), options);
      clients.push(client);
      return client;
    },
    close: () => (closed ??= close()),
  };
}

function ownPath(app: INestApplication): string {
  const { path } = optionsOf(app);
  if (!PathPattern.of(path)) return path;
  throw new Error(`The path ${path} of the module has parameters: name the path that is meant, with their values.`);
}

function optionsOf(app: INestApplication): ResolvedOptions {
  try {
    return app.get<ResolvedOptions>(PXL_WS_OPTIONS, { strict: false });
  } catch (cause) {
    throw new Error('The application imports no PxlWebSocketModule whose path could be meant: name one.', { cause });
  }
}
