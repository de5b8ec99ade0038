// Not its default: an application without esModuleInterop that compiles this package for Jest would find none.
import * as cluster from 'node:cluster';

/** What shows whether other processes of the same application run. */
export interface WorkerSurroundings {
  /** The id of this worker in node:cluster; undefined when it is no worker. */
  readonly workerId: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Of node:cluster; there is no `worker` in a process that is none. */
interface ClusterNames {
  readonly Worker: unknown;
  readonly worker?: { readonly id: number } | undefined;
}

export function workerSurroundings(): WorkerSurroundings {
  const { worker }: ClusterNames = cluster;
  return { workerId: worker?.id, env: process.env };
}

/**
 * Says what has started other workers beside this one, as the beginning of a sentence; undefined when none are known. PM2
 * puts all its applications into one node:cluster, so worker ids also count those of other applications; but it gives the
 * number of processes in `instances`, and the number of this one in `NODE_APP_INSTANCE`.
 */
export function siblingsOf({ workerId, env }: WorkerSurroundings): string | undefined {
  if (env.pm_id !== undefined) {
    const areSeveral = Number(env.instances) > 1 || Number(env.NODE_APP_INSTANCE) > 0;
    return areSeveral ? 'PM2 runs this application in several processes' : undefined;
  }
  if (workerId === undefined || workerId < 2) return undefined;
  return `This process is worker ${workerId} of a node:cluster`;
}
