/** What the server said unasked, as handlers get it beside its data. */
export interface PushedMessage {
  readonly type: string;
  readonly action: string;
  readonly data: unknown;
  /** The room that it was sent to, where the server names rooms (`rooms.named`) and it was sent to a room. */
  readonly room?: string | undefined;
}

/** Takes the data of a message, and the message. */
export type PushHandler = (data: unknown, message: PushedMessage) => unknown;
