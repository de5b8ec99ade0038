export { consoleAccessOf, type ConsoleAccess } from './console-access.js';
export type { ConsoleAction, ConsoleContract, ConsoleTarget } from './console-contract.js';
export type { PxlWebSocketConsoleOptions } from './console.options.js';
export { PxlWebSocketConsoleModule } from './pxl-websocket-console.module.js';
