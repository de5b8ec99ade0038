#!/usr/bin/env bash
# One would guess: `metrics()` of a prom-client Registry writes a page and changes nothing. A registry can so serve OpenMetrics to who
# asks for it and the plain text format to everybody else, by `setContentType` before each page.
# What happens: the first page in OpenMetrics takes `_total` from the name of each counter, in the counter itself. OpenMetrics pages put
# it back on, all others do not: from then on `jobs_total` is `jobs` in the plain format, in `getMetricsAsJSON()` (so in what
# AggregatorRegistry collects from the workers of node:cluster), in `getSingleMetricAsString` and in merged registries.
# `getSingleMetric('jobs_total')` still finds it. Nothing is logged.
# Seen with prom-client 15.1.3. A pull request of its repository (prometheus/client_js#829, open in August 2026) would end it, by the way.
# For users: one scrape in OpenMetrics, by a person who tries it say, ends the series behind dashboards and alerts until the restart, and
# an alert on a series that is not there does not fire. Give a registry one format for its life, before anything reads it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --loglevel=error --prefix "$dir" prom-client@15.1.3 >/dev/null || exit 2
cd "$dir"
echo "prom-client 15.1.3, Node.js $(node --version)"

cat >check.mjs <<'JS'
import prom from 'prom-client';

const { Registry, Counter, AggregatorRegistry } = prom;
const registry = new Registry();
new Counter({ name: 'jobs_total', help: 'Jobs.', registers: [registry] }).inc(3);

const samples = (page) => page.split('\n').filter((line) => line && !line.startsWith('#')).join();
async function page(type) {
  registry.setContentType(type);
  return samples(await registry.metrics());
}
const seen = {
  'plain': await page(Registry.PROMETHEUS_CONTENT_TYPE),
  'OpenMetrics': await page(Registry.OPENMETRICS_CONTENT_TYPE),
  'plain again': await page(Registry.PROMETHEUS_CONTENT_TYPE),
  'found by its name': samples(await registry.getSingleMetricAsString('jobs_total')),
  'merged with another': samples(await Registry.merge([registry, new Registry()]).metrics()),
  'aggregated': samples(await AggregatorRegistry.aggregate([await registry.getMetricsAsJSON()]).metrics()),
};
console.table(seen);
const expected = ['jobs_total 3', 'jobs_total 3', 'jobs 3', 'jobs 3', 'jobs 3', 'jobs 3'];
process.exit(Object.values(seen).join() === expected.join() ? 0 : 1);
JS
if node check.mjs; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
