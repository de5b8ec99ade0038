/** Reaches the clients of other workers: the cluster, which stands above the registry. */
export interface RemoteControl {
  disconnect(clientId: string, code: number, reason: string): void;
  update(clientId: string, key: string, data: unknown): void;
  listWanted(event: string | undefined): void;
}
