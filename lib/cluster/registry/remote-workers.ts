import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { LOST, type ConnectionEnd } from './client-changes.js';
import type { ClusterWorker, RegistryHost } from './cluster-registry.interface.js';
import type { Hint } from './hint.js';
import { MirroredWorker, type MirrorServices } from '../mirror/mirrored-worker.js';
import { UnmirroredWorker, type ChangeListener, type RemoteWorker } from './remote-worker.js';
import type { Lease } from '../leases/worker-leases.js';

/** The other workers of the cluster, with what is known of their clients. */
export class RemoteWorkers {
  readonly #workers = new Map<string, ClusterWorker>();
  readonly #views = new Map<string, RemoteWorker>();
  /** The incarnations in their last leases. */
  readonly #incarnations = new Map<string, number>();
  /** Workers without a lease at the last look. */
  #absent = new Set<string>();
  #deaths = 0;

  /**
   * @param tell gets every change of their clients
   * @param mirror null when no mirror is kept
   * @param look makes the registry read the leases soon and call {@link follow}
   * @param met gets the id of each worker that enters the registry or comes back
   */
  constructor(
    private readonly tell: RegistryHost['changed'],
    private readonly mirror: MirrorServices | null,
    private readonly look: () => void,
    private readonly met: (workerId: string) => void,
  ) {}

  get workers(): ReadonlyMap<string, ClusterWorker> {
    return this.#workers;
  }

  /** How many workers died. */
  get deaths(): number {
    return this.#deaths;
  }

  get isComplete(): boolean {
    for (const view of this.#views.values()) if (!view.isComplete) return false;
    return true;
  }

  /** Takes a hint, which a stranger may have published in a worker's name. */
  hear(hint: Hint): void {
    const { kind, workerId, changes } = hint;
    const view = this.#views.get(workerId);
    if (kind === 'left' || kind === 'dead') this.#hearEnd(hint);
    else if (view) view.hear(hint);
    else if (!this.mirror) for (const change of changes) this.tell(workerId, change, false);
    // A hint alone creates no worker: it may be forged, or late, from a worker that has just died.
    if (kind === 'entered' && !view) this.look();
  }

  /**
   * Takes all leases.
   *
   * @param mayJudge whether a missing lease means that its worker is dead
   */
  follow(leases: readonly Lease[], mayJudge: boolean): void {
    for (const lease of leases) {
      // A worker that is already dead when it is first seen needs no mirror.
      if (lease.isExpired && !this.#views.has(lease.workerId)) continue;
      this.#meet(lease).follow(lease);
    }
    const present = new Set(leases.map(({ workerId }) => workerId));
    const absent = [...this.#workers.keys()].filter((workerId) => !present.has(workerId));
    // Absent at two looks in a row: the first may fall between Redis' loss of data and a worker's return.
    const gone = mayJudge ? absent.filter((workerId) => this.#absent.has(workerId)) : [];
    this.#absent = new Set(absent);
    for (const workerId of gone) {
      this.#deaths++;
      this.#drop(workerId, LOST);
    }
  }

  #hearEnd({ kind, workerId, incarnation, changes }: Hint): void {
    const view = this.#views.get(workerId);
    // In a Redis Cluster the hint may arrive after the worker has come back as a new incarnation.
    if (view && view.incarnation > incarnation) return;
    if (view && kind === 'dead') this.#deaths++;
    // A worker that leaves tells the ends of its clients first: what a mirror has missed of that was so.
    this.#drop(workerId, kind === 'left' ? CLOSE_CODES.RESTART : LOST);
    // A mirror has reported the ends by itself.
    if (!this.mirror) for (const change of changes) this.tell(workerId, change, true);
  }

  #meet({ workerId, incarnation, connections, beat, isExpired }: Lease): RemoteWorker {
    const isNews = this.#incarnations.get(workerId) !== incarnation;
    this.#incarnations.set(workerId, incarnation);
    this.#workers.set(workerId, { workerId, connections, beat, isExpired });
    let view = this.#views.get(workerId);
    if (!view) this.#views.set(workerId, (view = this.#view(workerId)));
    if (isNews) this.met(workerId);
    return view;
  }

  #view(workerId: string): RemoteWorker {
    const tell: ChangeListener = (change) => this.tell(workerId, change, !this.#workers.has(workerId));
    return this.mirror ? new MirroredWorker(workerId, tell, this.mirror) : new UnmirroredWorker(tell);
  }

  #drop(workerId: string, how: ConnectionEnd): void {
    const view = this.#views.get(workerId);
    // Removed first, so that nothing relies on the worker while its end is reported.
    this.#workers.delete(workerId);
    this.#incarnations.delete(workerId);
    this.#views.delete(workerId);
    view?.end(how);
  }
}
