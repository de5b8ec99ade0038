/**
 * Who does not get a message, as an argument: ids of clients; or clients, users with all their devices, and the members of
 * rooms. Each list may name whom there is not.
 */
export type WsExclude =
  | readonly string[]
  | {
      readonly clients?: readonly string[] | undefined;
      readonly users?: readonly (string | number)[] | undefined;
      /** Judged for each client when the message is delivered to it. */
      readonly rooms?: readonly string[] | undefined;
    };

/** Who does not get a message, although it is for them. */
export interface WsExclusion {
  /** Ids of clients that do not get it. */
  readonly exclude: readonly string[];
  /** These users do not get it, on none of their devices. Undefined: none. */
  readonly excludeUsers?: readonly string[] | undefined;
  /** Members of these rooms do not get it: those who are in one of them when it is delivered. Undefined: none. */
  readonly excludeRooms?: readonly string[] | undefined;
}
