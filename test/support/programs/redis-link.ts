import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TestLink } from '../redis-link.js';

/**
 * Keeps a link to the Redis at the port of its first argument, hears two channels and publishes to one of them, from the
 * moment when it is ready first, as often each second as its second argument says. Writes each change of its readiness,
 * and on SIGTERM what it has seen. Ends when nothing keeps it alive any more.
 */
const [port = '', rate = '0'] = process.argv.slice(2);
const { link, lines, heard } = new TestLink({ redis: `redis://127.0.0.1:${port}` });
const counts = { published: 0, rejected: 0, slowest: 0, linesPerSecond: 0, heapGrowth: 0, heard: 0 };
const linesBySecond = new Map<number, number>();
let heapBefore = 0;
let seenLines = 0;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function heap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function publish(): Promise<void> {
  const before = performance.now();
  const settled = (outcome: 'published' | 'rejected'): void => {
    counts[outcome]++;
    counts.slowest = Math.max(counts.slowest, Math.round(performance.now() - before));
  };
  await link.publish('pxl:room:chess', 'x'.repeat(200)).then(
    () => settled('published'),
    () => settled('rejected'),
  );
}

link.onReady(() => say({ isReady: true, heard: link.subscriptions.isLive('pxl:room:chess') }));
link.onLost(() => {
  heapBefore ||= heap();
  say({ isReady: false, why: link.lastError });
});
link.subscriptions.want('pxl:room:chess');
link.subscriptions.want('pxl:room:go');

let isStarted = false;
const beat = setInterval(() => {
  isStarted ||= link.isReady;
  if (!isStarted) return;
  for (let at = 0; at < Number(rate) / 100; at++) void publish();
  const second = Math.floor(performance.now() / 1_000);
  linesBySecond.set(second, (linesBySecond.get(second) ?? 0) + lines.length - seenLines);
  seenLines = lines.length;
  counts.heard += heard.splice(0).length;
}, 10);

process.once('SIGTERM', () => {
  clearInterval(beat);
  counts.linesPerSecond = Math.max(...linesBySecond.values());
  counts.heapGrowth = heap() - (heapBefore || heap());
  void link.stop().then(() => say(counts));
});
