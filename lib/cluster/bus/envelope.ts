/** Whom an envelope is for. Clients, users and rooms are three name spaces. */
export type WsTarget =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'clients'; readonly clientIds: readonly string[] }
  | { readonly kind: 'users'; readonly userIds: readonly string[] }
  | { readonly kind: 'rooms'; readonly roomNames: readonly string[] }
  /** Other workers themselves, not their clients. */
  | { readonly kind: 'workers'; readonly workerIds: readonly string[] }
  /** The subscribers of a channel of events. */
  | { readonly kind: 'subscribers'; readonly channel: string };

/** What an envelope holds: JSON text, which a worker that only passes it on to its clients does not parse. */
export interface WsContent {
  /**
   * A message for clients: the text of its frame for those who speak `pxl.v1`; an event for subscribers; a command to the
   * workers that hold the target; a call of theirs; its answer.
   */
  readonly kind: 'message' | 'event' | 'command' | 'call' | 'answer';
  readonly text: string;
}

/** What travels between workers. Nobody gets one envelope twice. */
export interface WsEnvelope {
  readonly target: WsTarget;
  /** Ids of clients that are no recipients. */
  readonly exclude: readonly string[];
  /** Whether a client that reads too slowly may miss it. */
  readonly isVolatile: boolean;
  readonly content: WsContent;
}

/** An envelope that has come from elsewhere. */
export interface WsReceivedEnvelope extends WsEnvelope {
  /** The worker that sent it; null: a process without clients, an emitter. */
  readonly origin: string | null;
}
