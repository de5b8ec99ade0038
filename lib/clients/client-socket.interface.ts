import type { WebSocket } from 'ws';
import type { WsClient } from './ws-client.js';

/** One text frame, framed at most once however many clients it goes to. */
export interface SharedFrame {
  readonly text: string;
  /** The complete frame (RFC 6455, 5.2), unmasked. */
  readonly bytes: Buffer;
}

/** What a client needs of its socket: everything that goes to it passes one outbox, in order. */
export interface ClientSocket extends WebSocket {
  /** The client behind this socket; null until it was accepted. */
  client: WsClient | null;
  /** Queues a frame behind everything sent before. False when the socket is closing or closed. */
  sendFrame(frame: SharedFrame): boolean;
}
