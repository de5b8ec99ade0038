import type { Runtime } from '../../runtime/runtime.js';
import type { RegistryHost } from '../registry/cluster-registry.interface.js';
import type { RecordReader } from '../registry/record-reader.js';
import type { AbsentClients } from './absent-clients.js';
import { absentOf } from './absent-record.js';

/** A dead worker whose clients are still in Redis. */
interface Remains {
  readonly workerId: string;
  readonly incarnation: number;
}

/** Tells a worker that starts of the clients that were gone before, and stay in rooms with presence. */
export class AbsentReader {
  #isStopped = false;

  constructor(
    private readonly records: RecordReader,
    private readonly absent: AbsentClients,
    private readonly runtime: Runtime,
  ) {}

  /**
   * Tries again after a failure, until {@link stop}; never rejects.
   *
   * @param remains the dead workers at present
   * @param pause ms between two attempts
   */
  async read(host: RegistryHost, remains: () => Iterable<Remains>, pause: number): Promise<void> {
    while (!this.#isStopped) {
      try {
        // Before the others: whoever removes the data of a dead worker writes its clients there first.
        for (const one of remains()) await this.#readRemains(one, host);
        await this.absent.read((client) => host.absent(client));
        return;
      } catch {
        await new Promise<void>((resolve) => this.runtime.timeout(pause, resolve));
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #readRemains({ workerId, incarnation }: Remains, host: RegistryHost): Promise<void> {
    for (const record of await this.records.readAll(workerId, incarnation)) {
      const client = absentOf(record, (roomName) => host.stays(roomName, 0));
      if (client) host.absent(client);
    }
  }
}
