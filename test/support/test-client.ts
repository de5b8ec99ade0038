// Not by the entry: a test of processes loads the whole library for nothing.
import type { WebSocketContract } from '../../lib/protocol/contract.js';
import { WsTestClient, type WsTestClientOptions } from '../../lib/testing/ws-test-client.js';
export type { WsTestMessage as Received } from '../../lib/testing/ws-test-message.interface.js';

/** How long clients of these tests wait, in ms, where a test says nothing else: for as long as a busy machine may need. */
const PATIENCE = 15_000;

export type TestClient<C extends WebSocketContract = WebSocketContract> = WsTestClient<C>;

export const TestClient = {
  open: <C extends WebSocketContract = WebSocketContract>(
    url: string,
    options?: WsTestClientOptions,
  ): Promise<WsTestClient<C>> => WsTestClient.open<C>(url, { patience: PATIENCE, ...options }),
  connect: <C extends WebSocketContract = WebSocketContract>(
    url: string,
    options?: WsTestClientOptions,
  ): Promise<WsTestClient<C>> => WsTestClient.connect<C>(url, { patience: PATIENCE, ...options }),
};
