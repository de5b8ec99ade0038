import type { WebSocket } from 'ws';
import type { Step } from '../../runtime/ordered-steps.js';
import type { FrameTerms } from './frame-terms.js';
import type { ClientSession } from './client-session.js';

/** One text frame, framed at most once however many clients it goes to. */
export interface SharedFrame {
  readonly text: string;
  /** The complete frame (RFC 6455, 5.2), unmasked. */
  readonly bytes: Buffer;
}

/** The socket of a client, as the application gets it too. */
export interface ClientSocket extends WebSocket {
  /** The session behind this socket; null until it was accepted. */
  session: ClientSession | null;
}

/** Encrypts what is sent to one client. Its methods are called in the order of the frames. */
export interface OutboundCipher {
  /** The text of the encrypted frame that is sent in place of a frame; null: nothing is sent. */
  readonly seal: Step<string, string>;
  /**
   * The same for frames that leave together, in order: the texts of as many encrypted frames or, where the client reads lists,
   * of fewer. Without this method each frame goes through `seal`.
   *
   * @param texts does not change any more; the same array for all clients that are sent the same
   */
  sealAll?(texts: readonly string[]): readonly string[];
}

/** What a client sends through: everything that goes to its socket passes one outbox, in order. */
export interface ClientOutbox {
  readonly ws: ClientSocket;
  /** Rises with every byte that leaves for the client. */
  readonly sentBytes: number;
  /** Bytes that wait here and in the network socket. */
  readonly bufferedAmount: number;
  /** Whether more bytes wait than the client's budget allows. */
  readonly isOverBudget: boolean;
  /** Whether this side has closed the connection, be it that the close waits for what was sent before. */
  readonly isEnding: boolean;
  /**
   * Queues a frame behind everything sent before. False when the socket is closing or closed, and when it reads too
   * slowly for this frame.
   *
   * @param terms default: it leaves at the end of the turn
   */
  sendFrame(frame: SharedFrame, terms?: FrameTerms): boolean;
  /** Queues a text as a message of its own, also while the application's `send` has a fragmented one unfinished. */
  sendText(text: string): boolean;
  /** Sends the same in a binary frame. */
  sendBinary(text: string): boolean;
  /** Calls back later, once almost nothing waits any more; maybe never when the socket closes before. */
  whenDrained(callback: () => void): void;
  /** Has every text pass a step from now on, behind those that it passes already: `limit` texts at once, in their order. */
  transform(limit: number, step: Step<string, string>): void;
  /**
   * The same for a cipher, from which nothing is kept that has not been written yet.
   *
   * @param lastInClear goes out as it is, before all of that
   * @throws WsError CONFLICT while a fragmented message of the application is unfinished
   */
  encrypt(limit: number, cipher: OutboundCipher, lastInClear?: string): void;
}

/** The session behind a socket; undefined when it is not, or not yet, that of a client of this worker. */
export function sessionOf(ws: WebSocket | null | undefined): ClientSession | undefined {
  return (ws as Partial<ClientSocket> | null | undefined)?.session ?? undefined;
}
