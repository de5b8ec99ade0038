#!/usr/bin/env bash
# One would guess: the gauges `nodejs_eventloop_lag_{min,max,mean,p50,p90,p99}_seconds` of `collectDefaultMetrics` tell each reader about
# some span of time of their own, so two Prometheus servers (the usual pair for high availability) see the same stall.
# What happens: every page that is read, `getMetricsAsJSON()` included, empties the histogram behind them for everybody. A stall is in the
# page of whoever reads first. Who reads just after it gets an empty histogram as figures: a minimum of 9,223,372,036.85 seconds (the
# largest number of 64 bits), a maximum of 0, percentiles of half a microsecond, and a mean that is no number.
# Seen with prom-client 15.1.3 and Node.js 20.
# For users: with two scrapers, a scrape by hand or a health check that reads the page, each figure covers the time since anybody's last
# reading, and stalls are missing at random in each store. Take the maximum over the pair; do not average or alert on the minimum. What
# has to be told to all is a histogram that nobody empties.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --loglevel=error --prefix "$dir" prom-client@15.1.3 >/dev/null || exit 2
cd "$dir"
echo "prom-client 15.1.3, Node.js $(node --version)"

cat >check.mjs <<'JS'
import { setTimeout as wait } from 'node:timers/promises';
import prom from 'prom-client';

const registry = new prom.Registry();
prom.collectDefaultMetrics({ register: registry });

/** What one scraper reads. */
async function scrape() {
  const page = await registry.metrics();
  const read = (name) => new RegExp(`^nodejs_eventloop_lag_${name}_seconds (\\S+)`, 'm').exec(page)[1];
  return Object.fromEntries(['min', 'max', 'mean', 'p99'].map((name) => [name, read(name)]));
}

await wait(300);
const until = Date.now() + 800;
while (Date.now() < until); // the stall
await wait(100);
const [first, second] = [await scrape(), await scrape()];
console.table({ first, second });
const isAsDescribed = Number(first.max) > 0.7 && Number(second.max) < 0.1 && Number(second.min) > 9e9 && second.mean.toLowerCase() === 'nan';
process.exit(isAsDescribed ? 0 : 1);
JS
if timeout 30 node check.mjs; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
