import { setTimeout } from 'node:timers/promises';
import { Worker, type Job } from 'bullmq';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { imageOf, landscape, LAYERS } from './landscape.js';
import { POSTCARDS, REDIS_URL, type Postcard } from './postcards.js';

/** Slow, so that one can watch. */
const LAYER_MS = Number(process.env.LAYER_MS ?? 400);

/** This is the second process: without sockets and without Nest, it reaches the pages through Redis. */
const emitter = new WebSocketEmitter({ redis: REDIS_URL, log: (level, line) => console[level](line) });
await emitter.configure(); // fails where there is no Redis
const connection = { url: REDIS_URL, maxRetriesPerRequest: null };
const worker = new Worker<Postcard, string>(POSTCARDS, paint, { connection, concurrency: 2 });
worker.on('error', () => {}); // the emitter tells, once, when Redis is gone
console.log('A painter waits for orders.');

/** Paints layer by layer, and shows the user each. What it returns is the result of the job. */
async function paint(job: Job<Postcard>): Promise<string> {
  const { userId, place } = job.data;
  const layers: string[] = [];
  for (const layer of landscape(place)) {
    await setTimeout(LAYER_MS);
    layers.push(layer);
    const progress = Math.round((layers.length / LAYERS) * 100);
    await job.updateProgress(progress);
    const data = { id: job.id, progress, picture: imageOf(layers) };
    await emitter.toUser({ userId, type: 'postcard', action: 'progress', data });
  }
  return imageOf(layers);
}

/** Paints what it has begun to the end, unless Redis is gone; what waits is for others. */
async function stop(): Promise<void> {
  void setTimeout(10_000, null, { ref: false }).then(() => process.exit(1));
  await worker.close();
  await emitter.shutdown();
}

process.once('SIGINT', () => void stop()).once('SIGTERM', () => void stop());
