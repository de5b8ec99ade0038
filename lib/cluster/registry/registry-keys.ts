/** The names of the registry's keys and channel. Each script uses one key: see `lease-scripts.ts`. */
export class RegistryKeys {
  /** The channel of the hints. */
  readonly hints: string;
  /** A hash: the leases of live workers, and the dead incarnations whose data is still to be removed. */
  readonly leases: string;

  constructor(private readonly prefix: string) {
    this.hints = `${prefix}:registry`;
    this.leases = `${prefix}:leases`;
  }

  /** A hash: the records of the clients of one incarnation of a worker by client id, and its `seq` under the empty name. */
  clients(workerId: string, incarnation: number): string {
    return `${this.prefix}:{${workerId}.${incarnation}}:clients`;
  }
}
