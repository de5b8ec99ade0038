/** The names of the registry's keys and channel. Each script uses one key: see `lease-scripts.ts`. */
export class RegistryKeys {
  /** The channel of the hints. */
  readonly hints: string;
  /** A hash: the leases of live workers, and the dead incarnations whose data is still to be removed. */
  readonly leases: string;
  /** A hash: the clients that stay in their rooms for the grace of presence, by client id. */
  readonly absent: string;

  constructor(private readonly prefix: string) {
    this.hints = `${prefix}:registry`;
    this.leases = `${prefix}:leases`;
    this.absent = `${prefix}:absent`;
  }

  /** A hash: the clients of one incarnation of a worker, see `ClientHash`. */
  clients(workerId: string, incarnation: number): string {
    return `${this.prefix}:{${workerId}.${incarnation}}:clients`;
  }
}
