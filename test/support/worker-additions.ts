import type { Provider } from '@nestjs/common';
import type { WebSocketSubscriberDefinition, WsRoomOptions } from 'nestjs-pxl-websocket';

/** What a program adds to the application of `programs/cluster-worker.ts` before it loads that. */
export const additions: {
  readonly subscribers: WebSocketSubscriberDefinition[];
  readonly providers: Provider[];
  /** What has no JSON form; laid over what the test gives. */
  rooms?: WsRoomOptions;
} = { subscribers: [], providers: [] };
