import type { EndpointReport, RouteReport } from '../../console-contract.js';
import { DataTable } from '../dom/data-table.js';
import { sentenceOf } from '../dom/dialog.js';
import { fill, h, svg, type Child } from '../dom/element.js';
import { head, named, notice, part } from '../dom/parts.js';
import { count, NONE, percent, rate, seconds } from '../format.js';
import type { View, ViewContext } from '../view.js';

/** Where clients connect, and what they call. */
export class EndpointsView implements View {
  readonly title = 'Endpoints and routes';
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #note = h('div', { class: 'slot' });
  readonly #ownRoutes = h('input', { type: 'checkbox' });
  #known: readonly RouteReport[] = [];
  /** The slowest route's p99, ms: how long the longest bar is. */
  #slowest = 1;
  readonly #endpoints = new DataTable<EndpointReport>({
    caption: 'Endpoints',
    key: ({ path, port }) => `${port} ${path}`,
    empty: 'There is no endpoint.',
    columns: [
      { title: 'Path', cell: ({ path }) => h('code', {}, named(path)) },
      { title: 'Port', cell: ({ port }) => (port === 0 ? "the application's" : String(port)) },
      { title: 'Envelope', cell: ({ protocol }) => protocol },
      { title: 'Clients', kind: 'number', cell: ({ connections }) => count(connections) },
      { title: 'Routes', kind: 'number', cell: ({ routes }) => count(routes.length) },
    ],
  });
  readonly #routes = new DataTable<RouteReport>({
    caption: 'Routes',
    key: ({ name }) => name,
    empty: 'No route was found.',
    sortedBy: 'Calls',
    columns: [
      { title: 'Route', cell: routeName, order: ({ name }) => name },
      { title: 'Calls', kind: 'number', cell: ({ calls }) => count(calls), order: ({ calls }) => calls },
      {
        title: 'Per second',
        kind: 'number',
        cell: ({ callsPerSecond }) => rate(callsPerSecond),
        order: ({ callsPerSecond }) => callsPerSecond,
      },
      {
        title: 'Errors',
        kind: 'number',
        cell: ({ errors, calls }) =>
          errors > 0 ? `${count(errors)} · ${percent(errors / Math.max(calls, errors))}` : '0',
        order: ({ errors }) => errors,
      },
      { title: 'p50', kind: 'number', cell: ({ p50 }) => timeOf(p50), order: ({ p50 }) => p50 ?? -1 },
      {
        title: 'p99',
        kind: 'number',
        cell: ({ p99 }) => [p99 !== null && bar(p99 / this.#slowest), timeOf(p99)],
        order: ({ p99 }) => p99 ?? -1,
      },
    ],
  });

  constructor(context: ViewContext) {
    this.#context = context;
    this.#ownRoutes.addEventListener('change', () => this.#draw());
    this.element = h(
      'div',
      { class: 'part' },
      head(this.title, { hint: 'On all workers together.' }),
      this.#note,
      part('Endpoints', null, this.#endpoints.element),
      part(
        'Routes',
        h('label', {}, this.#ownRoutes, " with the library's own"),
        this.#routes.element,
        h(
          'p',
          { class: 'hint' },
          'Times are from the call of a handler to its answer, estimated from buckets. Without a metrics registry they are measured while somebody looks.',
        ),
      ),
    );
  }

  async refresh(): Promise<void> {
    try {
      const { endpoints, routes } = await this.#context.session.client.request('routes', 'list');
      this.#endpoints.update(endpoints);
      this.#known = routes;
      this.#draw();
      fill(this.#note);
    } catch (error) {
      fill(this.#note, notice('bad', sentenceOf(error)));
    }
  }

  #draw(): void {
    const shown = this.#known.filter(({ isOwn }) => !isOwn || this.#ownRoutes.checked);
    this.#slowest = Math.max(...shown.map(({ p99 }) => p99 ?? 0), 0.001);
    this.#routes.update(shown);
  }
}

function routeName({ name, sources }: RouteReport): readonly Child[] {
  return [h('code', {}, named(name)), h('span', { class: 'way' }, ` ${sources.join(', ')}`)];
}

function timeOf(ms: number | null): string {
  return ms === null ? NONE : seconds(ms / 1_000);
}

function bar(share: number): Node {
  const width = Math.max(1, Math.round(share * 56));
  return svg(
    'svg',
    { class: 'bar', viewBox: '0 0 56 8', 'aria-hidden': 'true' },
    svg('rect', { width, height: 8, rx: 2 }),
  );
}
