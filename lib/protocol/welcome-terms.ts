/** When the server pings a silent client. */
export interface WelcomeHeartbeat {
  /** The length of the silence, in ms. */
  readonly interval: number;
  /** How long the answer may take, in ms. */
  readonly timeout: number;
}

/** The limits for a client; null: no limit. */
export interface WelcomeLimits {
  /** The largest frame, in bytes of UTF-8. */
  readonly maxPayload: number;
  /** The average rate of messages per second. */
  readonly messagesPerSecond: number | null;
  /** How many messages may be sent at once after a silence. */
  readonly burst: number | null;
  /** How many rooms a client can be in. */
  readonly rooms: number | null;
}

/** Properties of the server's rooms that clients have to know. */
export interface WelcomeRooms {
  /** Whether pushes to a room contain its name in `room`. */
  readonly named?: true | undefined;
  /** Whether the application has a `join` event of its own in place of `system.join`. */
  readonly ownJoin?: true | undefined;
}

/** The part of a welcome that is the same for every client of an endpoint. */
export interface WelcomeTerms {
  readonly heartbeat: WelcomeHeartbeat | null;
  readonly limits: WelcomeLimits;
  /** Left out when none of its properties holds. */
  readonly rooms?: WelcomeRooms | undefined;
}

/** Encodes the terms as fields of a JSON object, without braces, once for all clients of an endpoint. */
export function termsText({ heartbeat, limits, rooms }: WelcomeTerms): string {
  return JSON.stringify({ heartbeat, limits, rooms }).slice(1, -1);
}
