/** How a frame waits for its socket. */
export interface FrameTerms {
  /** The frame may be dropped while the socket is over its budget. */
  readonly isVolatile: boolean;
  /** Milliseconds that it may wait behind what has left for the socket; 0: until the end of the turn. */
  readonly window: number;
  /** Milliseconds up to which the window may grow. */
  readonly maxWindow: number;
  /** Of the frames that wait with one key only the newest is sent. Undefined: all are. */
  readonly conflate: string | undefined;
}

/** What replies and pushes to single clients have. */
export const AT_ONCE: FrameTerms = Object.freeze({ isVolatile: false, window: 0, maxWindow: 0, conflate: undefined });
