#!/usr/bin/env bash
# One would guess: the page that prom-client's AggregatorRegistry makes of the workers of node:cluster is that of one process: its counters
# rise, until all of it starts again. A worker that ends takes gauges with it, not what it has counted.
# What happens: the sum is made of the workers of the moment. When one ends and another takes its place, each counter and histogram falls
# by the share of the old one. A counter that falls means to Prometheus that the process has started at zero, so `rate` and `increase` add
# all that the other workers have counted since their own start, as if it had happened within one scrape. A rolling restart of n workers
# does it n times.
# Seen with prom-client 15.1.3. The larger the counters of the others, the larger the error: days of requests in fifteen seconds.
# For users: a worker that crashes looks like a burst of traffic, and of errors where errors are counted, on dashboards and in alerts.
# Scrape each worker on a port of its own; or keep in the primary process what ended workers had counted, and add it to the page.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --loglevel=error --prefix "$dir" prom-client@15.1.3 >/dev/null || exit 2
cd "$dir"
echo "prom-client 15.1.3, Node.js $(node --version)"

cat >check.mjs <<'JS'
import cluster from 'node:cluster';
import { once } from 'node:events';
import prom from 'prom-client';

const all = new prom.AggregatorRegistry(); // in the workers too: it answers there
if (cluster.isWorker) {
  const requests = new prom.Counter({ name: 'requests_total', help: 'Requests.' });
  process.on('message', (message) => {
    if (!message.serve) return;
    requests.inc(message.serve);
    process.send('served');
  });
  process.send('started');
} else {
  const start = async () => {
    const worker = cluster.fork();
    await once(worker, 'message');
    return worker;
  };
  const serve = async (worker, count) => {
    const served = new Promise((resolve) => worker.on('message', (message) => message === 'served' && resolve()));
    worker.send({ serve: count });
    await served;
  };
  const samples = [];
  const scrape = async () => samples.push(Number(/^requests_total (\d+)/m.exec(await all.clusterMetrics())[1]));

  const workers = [await start(), await start(), await start(), await start()];
  for (const worker of workers) await serve(worker, 1_000);
  await scrape();
  const exited = once(workers[0], 'exit');
  workers[0].process.kill();
  await exited;
  const successor = await start();
  await serve(successor, 5);
  await scrape();

  // As Prometheus does it: what is below the sample before it has started again at zero.
  const [before, after] = samples;
  const increase = after >= before ? after - before : after;
  console.log('requests_total at two scrapes:', before, after);
  console.log('requests between them: 5; increase(requests_total):', increase);
  for (const worker of Object.values(cluster.workers)) worker.process.kill();
  process.exitCode = before === 4_000 && after === 3_005 && increase === 3_005 ? 0 : 1;
}
JS
if timeout 60 node check.mjs; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
