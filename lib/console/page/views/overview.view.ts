import { LineChart } from '../charts/line-chart.js';
import { DataTable } from '../dom/data-table.js';
import { fill, h, type Child } from '../dom/element.js';
import { badge, brief, head, link, part, tags } from '../dom/parts.js';
import { bytes, count, NONE, percent, rate, seconds, shortId, span, things } from '../format.js';
import { CLUSTER_NUMBERS, knownOf } from '../live.js';
import { linkTo } from '../router.js';
import type { View, ViewContext } from '../view.js';
import type { KnownWorker, WorkerReport } from '../../console-contract.js';
import { healthOf } from '../health.js';

/** All workers and the rates of the cluster. */
export class OverviewView implements View {
  readonly title = 'Overview';
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #hint = h('span', {});
  readonly #charts = clusterCharts();
  readonly #codes = h('div', { class: 'slot columns' });
  readonly #workers = new DataTable<WorkerReport>({
    caption: 'Workers',
    key: ({ workerId }) => workerId,
    empty: 'No worker has answered yet.',
    columns: [
      { title: 'Worker', cell: nameOf },
      { title: 'Health', cell: (worker) => badge(...healthOf(worker)) },
      { title: 'Clients', kind: 'number', ...sorted(({ connections }) => connections, count) },
      { title: 'Users', kind: 'number', cell: told(({ users }) => users, count) },
      { title: 'Rooms', kind: 'number', cell: told(({ rooms }) => rooms, count) },
      { title: 'In /s', kind: 'number', cell: told(({ rates }) => rates.received, rate) },
      { title: 'Out /s', kind: 'number', cell: told(({ rates }) => rates.sent, rate) },
      { title: 'CPU', kind: 'number', ...sorted(({ cpu }) => (cpu ?? NaN) / 100, percent) },
      { title: 'Memory', kind: 'number', ...sorted(({ memory }) => memory.rss, bytes) },
      { title: 'Loop delay', kind: 'number', ...sorted(({ loopDelay }) => loopDelay.p99 / 1_000, seconds) },
      { title: 'Up', kind: 'number', cell: told(({ startedAt }) => Date.now() - startedAt, span) },
    ],
  });

  constructor(context: ViewContext) {
    this.#context = context;
    this.element = h(
      'div',
      { class: 'part' },
      head('Overview', { hint: this.#hint }),
      h('div', { class: 'charts' }, ...CLUSTER_NUMBERS.map((name) => this.#charts[name].element)),
      part('Workers', null, this.#workers.element),
      this.#codes,
    );
    this.sampled();
  }

  sampled(): void {
    const { live } = this.#context.session;
    for (const name of CLUSTER_NUMBERS) this.#charts[name].update(live.cluster[name]);
    if (live.sampledAt === undefined) return;
    this.#workers.update(live.workers);
    const connections = knownOf(live.workers).reduce((sum, worker) => sum + worker.connections, 0);
    const workers = things(live.workers.length, 'worker');
    fill(this.#hint, `${things(connections, 'client')} on ${workers}. The lines show the last five minutes.`);
    const lists = [
      ['Closes', 'closesByCode'],
      ['Errors', 'errorsByCode'],
    ] as const;
    fill(
      this.#codes,
      ...lists.flatMap(([title, kind]) => {
        const counts = live.countsOf(kind);
        if (counts.length === 0) return [];
        const items = counts.map(([code, number]) => h('span', {}, h('code', {}, code), ` ${count(number)}`));
        return part(`${title} by code`, 'in the last five minutes', tags(items));
      }),
    );
  }
}

function clusterCharts(): Record<(typeof CLUSTER_NUMBERS)[number], LineChart> {
  return {
    connections: new LineChart('Clients', count),
    received: new LineChart('Received', (value) => `${rate(value)}/s`),
    sent: new LineChart('Sent', (value) => `${rate(value)}/s`),
    connects: new LineChart('Connects', (value) => `${rate(value)}/s`),
    errors: new LineChart('Errors', (value) => `${rate(value)}/s`),
    loopDelay: new LineChart('Loop delay', (value) => seconds(value / 1_000)),
  };
}

function nameOf(worker: WorkerReport): readonly Child[] {
  const id = link(linkTo(['workers', worker.workerId]), brief(shortId(worker.workerId)));
  return worker.kind === 'known' ? [id, h('span', { class: 'way' }, ` ${worker.host} · ${worker.pid}`)] : [id];
}

/** What a worker tells of itself, where it tells anything. */
function told(read: (worker: KnownWorker) => number, format: (value: number) => string) {
  return (worker: WorkerReport): string => (worker.kind === 'known' ? format(read(worker)) : NONE);
}

/** The same of a column that workers can be sorted by: those that tell nothing stand last. */
function sorted(read: (worker: KnownWorker) => number, format: (value: number) => string) {
  return {
    cell: told(read, format),
    order: (worker: WorkerReport): number => (worker.kind === 'known' ? read(worker) : -1),
  };
}
