import type { PendingFrames } from './pending-frames.js';
import type { TextRun } from './text-run.js';
import type { SendCallback, RawSendOptions, WsData } from './ws-send.js';

/** Text frames that wait for one socket, to be written together. */
export type WaitingFrames = TextRun | PendingFrames;

/** What an outbox writes to: one socket, past those of its methods that lead to the outbox. */
export interface FrameWriter {
  /** Bytes that were written and have not been handed to the system as a whole. */
  readonly bufferedAmount: number;
  /** Bytes of those that the system has not taken yet. */
  readonly unsentBytes: number;
  /** Rises with every byte that leaves. */
  readonly sentBytes: number;
  /** Writes text frames: those of a chain, and those behind them that are for this socket alone, in one write. */
  write(frames: WaitingFrames, behind?: WaitingFrames | null): void;
  /** Lets ws write one message or fragment. */
  send(data: WsData, options: RawSendOptions, done?: SendCallback): void;
  /** Lets ws begin the closing handshake. */
  close(code?: number, reason?: string | Buffer): void;
  /** Whether what was written waits for this process, in ws' compressor, and not for the network: no event tells its end. */
  readonly isCompressing: boolean;
  /**
   * Calls back once, when everything that was written has been handed to the system; maybe never where no event tells that.
   *
   * @returns ends the wait
   */
  whenDrained(callback: () => void): () => void;
}
