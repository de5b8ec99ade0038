/** A place in a room with history: the last message that somebody has. */
export interface WsPosition {
  /** Names one numbering of a room's messages, in 1 to 64 characters. Positions of different epochs cannot be compared. */
  readonly epoch: string;
  /** The number of a message: 1, 2, 3, …; 0: before the first one. */
  readonly offset: number;
}

/**
 * Why messages cannot be had: `epoch`, the numbering has begun anew; `trimmed`, they are not kept any more; `limit`, they are
 * more than the client may have at once.
 */
export type WsLossReason = 'epoch' | 'trimmed' | 'limit';
