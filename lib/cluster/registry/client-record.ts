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
  readonly username?: string;
}

/** A change of a worker's clients, as it tells the others. `userId`: whose client it is, for those who keep no mirror. */
export type ClientChange =
  | { readonly kind: 'connected'; readonly record: ClientRecord }
  | (ChangeOf & { readonly kind: 'disconnected'; readonly code: number; readonly reason: string })
  | { readonly kind: 'identified'; readonly clientId: string; readonly user: SharedUser }
  | (ChangeOf & { readonly kind: 'joined'; readonly membership: SharedMembership })
  | (ChangeOf & { readonly kind: 'left'; readonly roomName: string })
  | { readonly kind: 'updated'; readonly clientId: string; readonly key: string; readonly data: unknown };

interface ChangeOf {
  readonly clientId: string;
  readonly userId?: string | undefined;
}
