import cluster from 'node:cluster';
import { Logger } from '@nestjs/common';

let isStopping = false;

cluster.on('listening', (worker) => {
  const port = process.env.PORT ?? '3000';
  Logger.log(`Worker ${worker.id} is process ${worker.process.pid}, on http://localhost:${port}`, 'Cluster');
  // Another one takes its place; but one that never came so far would not do so the next time either.
  worker.once('exit', () => isStopping || cluster.fork());
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  // The workers let their clients go and end; then nothing is left that keeps this process alive.
  process.on(signal, () => {
    isStopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  });
}

for (let count = Number(process.env.WORKERS) || 3; count > 0; count--) cluster.fork();
