import { mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { createCertificate } from '../support/certificate.js';
import { launchChromium } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { RedisServer } from '../support/redis-server.js';
import { Application } from './application.js';
import { apache } from './kinds/apache.js';
import { caddy } from './kinds/caddy.js';
import { haproxy } from './kinds/haproxy.js';
import { nginx } from './kinds/nginx.js';
import { varnish } from './kinds/varnish.js';
import { Proxy } from './proxy.js';
import type { ProxyKind, Variant } from './proxy-kind.interface.js';
import { Results } from './results.js';
import { closeCode } from './scenarios/close-code.js';
import { Crash } from './scenarios/crash.js';
import { forwarded } from './scenarios/forwarded.js';
import { idle } from './scenarios/idle.js';
import { breaks } from './scenarios/breaks.js';
import { page } from './scenarios/page.js';
import { reload } from './scenarios/reload.js';
import { slowReader } from './scenarios/slow-reader.js';
import { stop } from './scenarios/stop.js';
import { tls } from './scenarios/tls.js';
import { token } from './scenarios/token.js';
import { TwoWorkers } from './scenarios/two-workers.js';

/*
 * Runs the configurations of docs/behind-a-proxy.md, as they stand there but for ports, in front of an application that uses the
 * package as it was built. `test/proxies/run`, or `test/proxies/run nginx Caddy`; with `--write` the table goes into that page.
 * A proxy that is not on this machine is missing, with the command that brings it, and no failure.
 */

const KINDS = [nginx, haproxy, caddy, apache, varnish];

/** Everything that a run starts, and ends. */
class Stage {
  readonly folder: string;
  readonly workers: readonly [Application, Application];

  private constructor(
    folder: string,
    readonly ports: readonly [worker1: number, worker2: number],
    readonly browser: Browser,
    readonly redis: RedisServer,
  ) {
    this.folder = folder;
    this.workers = [new Application(ports[0]), new Application(ports[1])];
  }

  static async set(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'pxl-proxies-'));
    await chmod(folder, 0o755); // proxies give their rights away
    const { cert, key } = createCertificate();
    await writeFile(join(folder, 'example.com.pem'), `${cert}${key}`);
    await writeFile(join(folder, 'example.com.key'), key);
    return new Stage(folder, [await freePort(), await freePort()], await launchChromium(), await RedisServer.start());
  }

  async proxy(kind: ProxyKind, version: string): Promise<Proxy> {
    const [http, https, admin] = [await freePort(), await freePort(), await freePort()];
    const [worker1, worker2] = this.ports;
    const folder = join(this.folder, kind.program);
    return new Proxy(kind, version, { folder, certificates: this.folder, http, https, admin, worker1, worker2 });
  }

  async end(): Promise<void> {
    await Promise.all([...this.workers.map((worker) => worker.kill()), this.browser.close(), this.redis.stop()]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function run(stage: Stage, proxies: readonly Proxy[], results: Results): Promise<void> {
  const [worker, other] = stage.workers;
  await worker.start({ trustProxy: 1 });
  await startAll(proxies, 'one');
  await Promise.all([
    results.each('30 s idle', idle),
    (async () => {
      await results.each('page with cookie and origin', (proxy) => page(proxy, stage.browser, worker));
      await results.each('token of 15 KB', token);
      await results.each('close code 4321 with a reason', closeCode);
      await results.each('forged address, `trustProxy: 1`', (proxy) => forwarded(proxy, false));
      await results.each('slow reader', (proxy) => slowReader(proxy, worker));
      await results.each('client breaks off', (proxy) => breaks(proxy, worker));
    })(),
  ]);
  await results.each('reload under load', (proxy) => reload(proxy, worker));

  const crash = new Crash(worker);
  await results.each('the only worker is killed', (proxy) => crash.gather(proxy));
  await crash.kill();
  await results.each('the only worker is killed', (proxy) => crash.meanwhile(proxy));
  await worker.start({ trustProxy: true });
  crash.started();
  await results.each('it is started again', (proxy) => crash.after(proxy));

  await results.each('forged address, `trustProxy: true`', (proxy) =>
    forwarded(proxy, proxy.kind.passesForgedAddresses),
  );
  await stopAll(proxies);
  await startAll(proxies, 'replacing');
  await results.each('forged address, replaced by the proxy', (proxy) => forwarded(proxy, false));
  await results.each('the proxy is stopped', (proxy) => stop(proxy, worker));
  await worker.stop();

  await worker.start({ trustProxy: 1 });
  const secure = proxies.filter(({ kind }) => kind.tls);
  await startAll(secure, 'tls');
  await results.each('page over TLS and HTTP/2', (proxy) => tls(proxy, stage.browser, worker), secure);
  await stopAll(secure);
  await worker.stop();

  const { url: redis } = stage.redis;
  await Promise.all([worker, other].map((one) => one.start({ trustProxy: 1, redis })));
  await startAll(proxies, 'two');
  await withTwo(stage, results, 'rolling restart of two workers', 1012, (two) => two.restartBoth());
  await withTwo(stage, results, 'one of two workers is killed', 1006, (two) => two.killOne());
  await stopAll(proxies);
}

async function withTwo(
  { workers, redis }: Stage,
  results: Results,
  scenario: string,
  code: number,
  happen: (two: TwoWorkers) => Promise<void>,
): Promise<void> {
  const two = new TwoWorkers(workers, redis.url, scenario);
  await results.each(scenario, (proxy) => two.gather(proxy));
  await happen(two);
  await results.each(scenario, (proxy) => two.after(proxy, code));
  await two.end();
}

async function startAll(proxies: readonly Proxy[], variant: Variant): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.start(variant)));
}

async function stopAll(proxies: readonly Proxy[]): Promise<void> {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
}

/** The proxies that were asked for and are on this machine; the others are named. */
async function findProxies(stage: Stage, wanted: readonly string[]): Promise<Proxy[]> {
  const proxies: Proxy[] = [];
  const isMeant = ({ name }: ProxyKind, word: string): boolean => name.toLowerCase().startsWith(word.toLowerCase());
  const unknown = wanted.filter((word) => !KINDS.some((kind) => isMeant(kind, word)));
  if (unknown.length > 0) throw new Error(`Of ${unknown.join(', ')} the documentation has no lines.`);
  for (const kind of KINDS) {
    if (wanted.length > 0 && !wanted.some((word) => isMeant(kind, word))) continue;
    const version = Proxy.versionOf(kind);
    if (version === null) console.log(`${kind.name} is missing: run "apt-get install ${kind.debianPackage}".`);
    else proxies.push(await stage.proxy(kind, version));
  }
  return proxies;
}

const begin = performance.now();
const stage = await Stage.set();
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const proxies = await findProxies(stage, words).catch(async (error: unknown) => {
  await stage.end();
  throw error;
});
const results = new Results(proxies);
const end = async (): Promise<void> => {
  await stopAll(proxies);
  await stage.end();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)));
try {
  if (proxies.length > 0) await run(stage, proxies, results);
} finally {
  await end();
}
console.log(`\n${results.table()}\n\n${((performance.now() - begin) / 1_000).toFixed(0)} s`);
if (process.argv.includes('--write')) {
  // A table of some proxies would take the place of that of all.
  if (proxies.length < KINDS.length || results.hasFailed) console.log('The table was not written.');
  else await results.write();
}
process.exit(results.hasFailed ? 1 : 0);
