/** The names of the registry's keys and its channel. Keys that are used together share a hash tag, and so a slot. */
export class RegistryKeys {
  /** The channel on which workers tell each other their changes. */
  readonly hints: string;
  /** A sorted set: the workers, each with the time at which its lease ends. */
  readonly leases: string;
  /** A hash: what each of them tells of itself. */
  readonly workers: string;
  /** A hash: incarnations of workers that were found dead, until nothing of theirs is left. */
  readonly dead: string;
  /** A text that changes when Redis has lost its data. */
  readonly epoch: string;

  constructor(private readonly prefix: string) {
    this.hints = `${prefix}:registry`;
    this.leases = `${prefix}:{workers}:leases`;
    this.workers = `${prefix}:{workers}:info`;
    this.dead = `${prefix}:{workers}:dead`;
    this.epoch = `${prefix}:{workers}:epoch`;
  }

  /** A hash: the clients of one incarnation of a worker, by their ids, and under the empty name its `seq`. */
  clients(workerId: string, incarnation: number): string {
    return `${this.prefix}:{${workerId}.${incarnation}}:clients`;
  }
}
