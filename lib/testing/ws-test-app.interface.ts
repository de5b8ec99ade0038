import type { INestApplication } from '@nestjs/common';
import type { WebSocketContract } from '../protocol/contract.js';
import type { WsTestClient, WsTestClientOptions } from './ws-test-client.js';

/** An application that listens on a free port of this machine. Its functions can be destructured. */
export interface WsTestApp {
  readonly app: INestApplication;
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** The WebSocket url of a path, which may have a query. Default: the module's own path, where it has no parameters. */
  readonly url: (path?: string) => string;
  /**
   * Connects a client and takes its welcome. The client is closed with the application. `client<Chat>()` knows a contract.
   *
   * @throws Error `Unexpected server response: <status>` when the upgrade is refused
   */
  readonly client: <C extends WebSocketContract = WebSocketContract>(
    options?: WsTestAppClientOptions,
  ) => Promise<WsTestClient<C>>;
  /** Closes the application, then its clients, so that nothing keeps the process alive. */
  readonly close: () => Promise<void>;
}

/** How a client of a {@link WsTestApp} connects. */
export interface WsTestAppClientOptions extends WsTestClientOptions {
  /** The path of the endpoint, with the values of its parameters: `'/ws/acme'`. Default: the module's own. */
  path?: string | undefined;
}
