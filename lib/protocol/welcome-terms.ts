/** When the server asks a silent client for a sign of life. */
export interface WelcomeHeartbeat {
  /** After how much silence, in ms. */
  readonly interval: number;
  /** How long the answer may take, in ms. */
  readonly timeout: number;
}

/** How much a server takes of one client; null: no limit. */
export interface WelcomeLimits {
  /** Bytes of UTF-8 of the largest frame. */
  readonly maxPayload: number;
  /** Messages per second, on average. */
  readonly messagesPerSecond: number | null;
  /** Messages at once, after a silence. */
  readonly burst: number | null;
  /** Rooms that a client can be in at once. */
  readonly rooms: number | null;
}

/** What is particular about a server's rooms. */
export interface WelcomeRooms {
  /** Pushes to a room carry its name in `room`. */
  readonly named?: true | undefined;
  /** The application has a `join` event of its own in the place of `system.join`. */
  readonly ownJoin?: true | undefined;
}

/** What a welcome tells every client of an endpoint. */
export interface WelcomeTerms {
  readonly heartbeat: WelcomeHeartbeat | null;
  readonly limits: WelcomeLimits;
  /** Left out where nothing is particular. */
  readonly rooms?: WelcomeRooms | undefined;
}

/** The terms as the fields of a JSON object, without its braces: written once for all clients of an endpoint. */
export function termsText({ heartbeat, limits, rooms }: WelcomeTerms): string {
  return JSON.stringify({ heartbeat, limits, rooms }).slice(1, -1);
}
