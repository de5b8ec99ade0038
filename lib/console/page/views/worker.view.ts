import { LineChart } from '../charts/line-chart.js';
import { fill, h } from '../dom/element.js';
import { badge, facts, head, link, notice } from '../dom/parts.js';
import { bytes, count, moment, percent, rate, seconds, shortId, span } from '../format.js';
import { healthOf } from '../health.js';
import { WORKER_NUMBERS } from '../live.js';
import { linkTo } from '../router.js';
import type { View, ViewContext } from '../view.js';

/** One worker. */
export class WorkerView implements View {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #workerId: string;
  readonly #facts = h('div', { class: 'slot' });
  readonly #charts = {
    connections: new LineChart('Clients', count),
    received: new LineChart('Received', (value) => `${rate(value)}/s`),
    sent: new LineChart('Sent', (value) => `${rate(value)}/s`),
    cpu: new LineChart('CPU', (value) => percent(value / 100)),
    memory: new LineChart('Memory', bytes),
    loopDelay: new LineChart('Loop delay', (value) => seconds(value / 1_000)),
  } satisfies Record<(typeof WORKER_NUMBERS)[number], LineChart>;

  constructor(context: ViewContext, workerId: string) {
    this.#context = context;
    this.#workerId = workerId;
    this.title = `Worker ${shortId(workerId)}`;
    this.element = h(
      'div',
      { class: 'part' },
      head(['Worker ', h('span', { class: 'id' }, workerId)], { trail: link(linkTo([]), 'Overview') }),
      this.#facts,
      h('div', { class: 'charts' }, ...WORKER_NUMBERS.map((name) => this.#charts[name].element)),
    );
    this.sampled();
  }

  sampled(): void {
    const { live } = this.#context.session;
    const lines = live.linesOf(this.#workerId);
    for (const name of WORKER_NUMBERS) this.#charts[name].update(lines[name]);
    const worker = live.workers.find(({ workerId }) => workerId === this.#workerId);
    if (!worker) {
      fill(this.#facts, live.sampledAt !== undefined && notice('warn', 'This worker has gone.'));
      return;
    }
    const health = badge(...healthOf(worker));
    if (worker.kind !== 'known') {
      fill(this.#facts, facts([['Health', health]]));
      return;
    }
    const { bus, memory, loopDelay } = worker;
    const busText = bus === null ? 'none: it stands alone' : bus.ready ? 'reached' : 'lost';
    const probe = bus?.probeMs == null ? '' : `, round trip ${seconds(bus.probeMs / 1_000)}`;
    fill(
      this.#facts,
      facts([
        ['Health', health],
        ['Bus', busText + probe],
        ['Up', span(Date.now() - worker.startedAt)],
        ['Started', moment(worker.startedAt)],
        ['Host and process', `${worker.host} · ${worker.pid}`],
        ['Versions', `${worker.version} on ${worker.engine}`],
        ['Users', count(worker.users)],
        ['Rooms', count(worker.rooms)],
        ['Slow clients', count(worker.slowConsumers)],
        ['Heap', `${bytes(memory.heapUsed)} of ${bytes(memory.heapTotal)}`],
        ['Loop delay', `p99 ${seconds(loopDelay.p99 / 1_000)}, max ${seconds(loopDelay.max / 1_000)}`],
        ['Last error of the bus', bus?.lastError ?? null, true],
      ]),
    );
  }
}
