/** Whom a message is for. Clients, users and rooms are three name spaces. */
export type Target =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'clients'; readonly clientIds: readonly string[] }
  | { readonly kind: 'users'; readonly userIds: readonly string[] }
  | { readonly kind: 'rooms'; readonly roomNames: readonly string[] };

/** A message with its recipients, as it travels between workers. Nobody gets one envelope twice. */
export interface Envelope {
  readonly target: Target;
  /** Ids of clients that do not get it. */
  readonly exclude: readonly string[];
  readonly message: unknown;
  /** Whether a client that reads too slowly may miss it. */
  readonly isVolatile?: boolean;
}
