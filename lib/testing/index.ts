export { describeBroadcaster, type SuiteRunner } from './broadcaster-suite/describe-broadcaster.js';
export type { BusWorker, TestedBus } from './broadcaster-suite/tested-bus.js';
export { createWsTestApp } from './create-ws-test-app.js';
export type { WsTestApp, WsTestAppClientOptions } from './ws-test-app.interface.js';
export type { WsTestAppOptions } from './ws-test-app-options.interface.js';
export type { WsTestJoined, WsTestJoinOptions } from './ws-test-join.interface.js';
export { WsTestClient, type WsTestClientOptions } from './ws-test-client.js';
export type { WsTestClose, WsTestMessage } from './ws-test-message.interface.js';
export { WsTestRefusalError } from './ws-test-refusal.error.js';
