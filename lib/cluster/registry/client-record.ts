/** What a worker tells the others of one of its clients: no token claims but those named in `cluster.shareUser`. */
export interface ClientRecord {
  readonly clientId: string;
  /** In ms since 1970. */
  readonly connectedAt: number;
  readonly user: SharedUser | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The rooms that it is in, in the order in which it joined, each with what it is called there. */
  readonly rooms: readonly SharedMembership[];
}

/** A user as other workers see it. */
export interface SharedUser {
  readonly userId: string;
  readonly userType?: string;
  /** The claims named in `cluster.shareUser`. */
  readonly payload: Readonly<Record<string, unknown>>;
}

/** A membership as other workers see it. */
export interface SharedMembership {
  readonly roomName: string;
  readonly username?: string | undefined;
  /** Whether the other members are told of it (`rooms.announce`). */
  readonly isAnnounced?: true | undefined;
}

/** A change of a worker's clients, as it tells the others. `userId`: whose client it is, for those who keep no mirror. */
export type ClientChange =
  | { readonly kind: 'connected'; readonly record: ClientRecord }
  | (ChangeOf & { readonly kind: 'disconnected'; readonly code: number; readonly reason: string })
  | { readonly kind: 'identified'; readonly clientId: string; readonly user: SharedUser }
  | (ChangeOfMembership & { readonly kind: 'joined' | 'left' })
  | { readonly kind: 'updated'; readonly clientId: string; readonly key: string; readonly data: unknown };

interface ChangeOf {
  readonly clientId: string;
  readonly userId?: string | undefined;
}

/** A membership that begins or ends. */
export interface ChangeOfMembership extends ChangeOf {
  readonly membership: SharedMembership;
}
