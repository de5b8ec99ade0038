import cluster from 'node:cluster';

/** A host whose only worker has the slot 1 of node:cluster, as the first worker of every host has. */
if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.on('message', (report) => process.send!(report));
  process.on('message', (task: object) => worker.send(task));
  process.on('disconnect', () => process.exit());
} else {
  await import('./cluster-worker.js');
}
