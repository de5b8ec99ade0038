import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { WebSocketEmitter } from 'nestjs-pxl-websocket';
import { eventually } from '../../lib/testing/eventually.js';
import { TestCluster } from '../support/test-cluster.js';
import type { WorkerProcess } from '../support/worker-process.js';

/** How long a handler holds up a worker that is asked to end, ms. */
const BUSY = 60_000;

let cluster: TestCluster;
let emitter: WebSocketEmitter;

beforeAll(async () => {
  cluster = await TestCluster.start({ program: 'subscriber-worker', options: { shutdown: { timeout: BUSY } } });
  emitter = new WebSocketEmitter({ redis: cluster.redis.url });
  await emitter.configure();
}, 60_000);

afterAll(async () => {
  await emitter.shutdown();
  await cluster.close();
});

/** The ids of the workers that have run the handler of one worker for a signup. */
async function mailersOf(name: string): Promise<string[]> {
  const diaries = await Promise.all(cluster.workers.map((worker) => diaryOf(worker)));
  const mailers = cluster.workers.filter((_, at) => diaries[at]!.includes(`Mailer.mail signup "${name}"`));
  return mailers.map(({ workerId }) => workerId);
}

function diaryOf(worker: WorkerProcess): Promise<string[]> {
  return worker.run(({ app }) => app.get<string[]>('DIARY'));
}

/** Whether all channels are live that a worker wants. It may listen before that, when it cannot enter the registry. */
function hearsAll(worker: WorkerProcess): Promise<boolean> {
  return worker.run(({ service }) => {
    const values = new Map(service.getMetrics().map(({ name, value }) => [name, value]));
    return values.get('pxl_ws_channels_live') === values.get('pxl_ws_channels_wanted');
  });
}

/** An emitter tells of a signup; resolves once every worker has heard of it. */
async function signUp(name: string): Promise<void> {
  await emitter.publish('signup', name);
  await emitter.publish('stock', name);
  // From one sender over one connection: whoever has handled the second has had the first.
  for (const worker of cluster.workers) {
    await eventually(`a worker has heard of ${name}`, async () => {
      return (await diaryOf(worker)).includes(`stock stock "${name}"`);
    });
  }
}

function byId(workers: readonly WorkerProcess[]): WorkerProcess[] {
  return [...workers].sort((a, b) => (a.workerId < b.workerId ? -1 : 1));
}

it("an emitter's event runs a handler of one worker once while another worker does not know the others yet", async () => {
  const [first] = byId(cluster.workers);
  // It hears and publishes, and cannot enter the registry, which needs scripts.
  await cluster.redis.command('ACL', 'SETUSER', 'late', 'on', '>late', '~*', '&*', '+@all', '-eval', '-evalsha');
  const redis = `redis://late:late@127.0.0.1:${cluster.redis.port}`;
  const late = await cluster.add({ options: { redis } });
  await eventually('it hears what it wants to hear', () => hearsAll(late));
  await signUp('early');
  expect(await mailersOf('early')).toEqual([first!.workerId]);
  await cluster.redis.command('ACL', 'SETUSER', 'late', '+eval', '+evalsha');
  await cluster.converged(cluster.workers, 15_000);
  await signUp('later');
  expect(await mailersOf('later')).toEqual([byId(cluster.workers)[0]!.workerId]);
  expect(await diaryOf(late)).toContain('stock stock "later"');
}, 60_000);

// The last one: a worker has ended then.
it("an emitter's event runs a handler of one worker once while the worker that did so until now ends", async () => {
  const [first, ...others] = byId(cluster.workers) as [WorkerProcess, ...WorkerProcess[]];
  await signUp('before');
  expect(await mailersOf('before')).toEqual([first.workerId]);
  const client = await first.client();
  void client.request('test', 'wait', BUSY).catch(() => undefined);
  await client.request('system', 'ping');
  void first.stop();
  await cluster.converged(others, 15_000);
  await signUp('meanwhile');
  expect(await mailersOf('meanwhile')).toEqual([others[0]!.workerId]);
}, 60_000);
