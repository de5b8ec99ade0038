import type { InboundMessage, ProtocolError } from '../../protocol/messages.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { InboundLimits } from './inbound-queue.js';
import type { WsClient } from '../ws-client.js';

/** What a client reaches of the endpoint that accepted it. */
export interface ClientHost {
  /** The path of the endpoint. */
  readonly path: string;
  readonly workerId: string;
  /** The options that hold on this endpoint. */
  readonly options: ResolvedOptions;
  readonly inboundLimits: InboundLimits;
  readonly runtime: Runtime;
  /** Milliseconds that a call to a client waits for its answer. */
  readonly callTimeout: number;
  /** What the welcome tells every client of the endpoint: fields of a JSON object. */
  readonly welcomeTerms: string;
  /** A promise for the application of what the work returns or throws: a rejection that nobody takes is reported. */
  watch<T>(what: string, work: () => Promise<T>, clientId: string): Promise<T>;
  join(client: WsClient, roomName: string): Promise<boolean>;
  leave(client: WsClient, roomName: string): void;
  /** Takes a message, or what is none, as it came from the client. */
  receive(client: WsClient, message: InboundMessage | ProtocolError): void;
  /** Runs one message; the promise settles, never rejecting, once its handler has finished. */
  handle(client: WsClient, message: InboundMessage): Promise<void> | undefined;
}
