/** The names of the registry's keys and its channel. Each script uses one key: see `lease-scripts.ts`. */
export class RegistryKeys {
  /** The channel on which workers tell each other their changes. */
  readonly hints: string;
  /** A hash: the workers with their leases, and those that were found dead, until nothing of theirs is left. */
  readonly leases: string;

  constructor(private readonly prefix: string) {
    this.hints = `${prefix}:registry`;
    this.leases = `${prefix}:leases`;
  }

  /** A hash: the clients of one incarnation of a worker, by their ids, and under the empty name its `seq`. */
  clients(workerId: string, incarnation: number): string {
    return `${this.prefix}:{${workerId}.${incarnation}}:clients`;
  }
}
