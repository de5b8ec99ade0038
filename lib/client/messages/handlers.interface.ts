/** Who has whispered. */
export interface Whisperer {
  /** The id by which the members of the room know the client, where each client is a member. */
  readonly clientId: string;
  /** Undefined for an anonymous client. */
  readonly userId?: string | undefined;
}

/** A push of the server, as handlers get it beside its data. */
export interface PushedMessage {
  readonly type: string;
  readonly action: string;
  readonly data: unknown;
  /** The room that the push was sent to: with a server that has `rooms.named`, and in rooms with history. */
  readonly room?: string | undefined;
  /** Its number in a room with history. */
  readonly offset?: number | undefined;
  /** Of a whisper: the member that it is from. */
  readonly from?: Whisperer | undefined;
}

/** Handles a push: it gets the data, and the whole message. */
export type PushHandler = (data: unknown, message: PushedMessage) => unknown;

/** Handles a request of the server; what it returns is the answer. */
export type CallHandler = (data: unknown) => unknown;
