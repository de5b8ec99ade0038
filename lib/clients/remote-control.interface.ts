/** The token of the {@link RemoteControl} that the library works with. */
export const REMOTE_CONTROL = Symbol('PXL_WS_REMOTE_CONTROL');

/** Reaches clients of other workers, for code that stands below the cluster. */
export interface RemoteControl {
  /** Has another worker close a client's connection. Does nothing when no worker has the client. */
  disconnect(clientId: string, code: number, reason: string): void;
}
