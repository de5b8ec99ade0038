import cluster from 'node:cluster';

/** What tells of other processes of the same application. */
export interface WorkerSurroundings {
  /** The id of this worker in node:cluster; undefined: it is none. */
  readonly workerId: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function workerSurroundings(): WorkerSurroundings {
  return { workerId: cluster.worker?.id, env: process.env };
}

/**
 * What started other workers beside this one, as the beginning of a sentence; undefined where nothing is known of any. PM2
 * puts all its applications into one node:cluster, so that ids there count the workers of strangers too: it tells the
 * number of processes in `instances`, and which one this is in `NODE_APP_INSTANCE`.
 */
export function siblingsOf({ workerId, env }: WorkerSurroundings): string | undefined {
  if (env.pm_id !== undefined) {
    const areSeveral = Number(env.instances) > 1 || Number(env.NODE_APP_INSTANCE) > 0;
    return areSeveral ? 'PM2 runs this application in several processes' : undefined;
  }
  if (workerId === undefined || workerId < 2) return undefined;
  return `This process is worker ${workerId} of a node:cluster`;
}
