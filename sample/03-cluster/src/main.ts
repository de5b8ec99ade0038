import cluster from 'node:cluster';

// This file runs once as the primary, which starts the workers, and once as each of them.
await (cluster.isPrimary ? import('./primary.js') : import('./worker.js'));
