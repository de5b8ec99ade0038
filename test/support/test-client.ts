// Not by the entry: a test of processes loads the whole library for nothing.
export { WsTestClient as TestClient } from '../../lib/testing/ws-test-client.js';
export type { WsTestMessage as Received } from '../../lib/testing/ws-test-message.interface.js';
