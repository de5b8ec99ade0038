import type { ConsoleTarget, TraceBatch, TraceEvent } from '../console-contract.js';
import { DataTable } from './dom/data-table.js';
import { sentenceOf } from './dom/dialog.js';
import { fill, h, type Child } from './dom/element.js';
import { badge, brief, button, link, named, notice, type Tone } from './dom/parts.js';
import { bytes, exactClock, seconds, shortId, span, things } from './format.js';
import { linkTo } from './router.js';
import type { ViewContext } from './view.js';

/** How many events are kept: a page that is left open must not grow. */
const KEPT = 2_000;
/** How many of them are rows at a time. */
const SHOWN = 200;
const DURATIONS = [30, 60, 300, 900];
/** How often a screen reader is told how many there were, ms. */
const TOLD = 10_000;

const WORDS: Readonly<Record<TraceEvent['kind'], readonly [word: string, tone: Tone]>> = {
  connected: ['connected', 'good'],
  disconnected: ['disconnected', 'warn'],
  joined: ['joined', 'none'],
  left: ['left', 'none'],
  received: ['→ in', 'none'],
  answered: ['answered', 'good'],
  failed: ['failed', 'bad'],
  sent: ['← out', 'none'],
  pushed: ['← to room', 'none'],
};

type Row = TraceEvent & { readonly id: string };

/** The messages of one user, room or client as they come, for a bounded time. */
export class TracePanel {
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #subject: ConsoleTarget;
  readonly #table: DataTable<Row>;
  readonly #status = h('p', { class: 'hint' });
  readonly #note = h('div', { class: 'slot' });
  readonly #start = button('Start', () => void this.#begin(this.#duration), { tone: 'main' });
  readonly #stop = button('Stop', () => void this.#end());
  readonly #pause = button('Pause', () => this.#setPaused(!this.#isPaused));
  readonly #filter = h('input', { type: 'search', dir: 'auto', autocomplete: 'off', spellcheck: 'false' });
  readonly #time = h('select', {});
  /** The newest first. */
  #rows: Row[] = [];
  /** Those that have come while the list stands still. */
  #waiting: Row[] = [];
  #isPaused = false;
  #omitted = 0;
  #seen = 0;
  #missing: readonly string[] = [];
  #traceId: string | undefined;
  /** When it will be over, by the page's clock; undefined while none runs. */
  #endsAt: number | undefined;
  #hasBegun = false;
  #isClosed = false;
  #toldAt = 0;
  readonly #stops: (() => void)[];

  constructor(context: ViewContext, subject: ConsoleTarget) {
    this.#context = context;
    this.#subject = subject;
    const { session } = context;
    this.#table = new DataTable<Row>({
      caption: 'Messages, the newest first',
      key: ({ id }) => id,
      isFixed: true,
      empty: 'Nothing has happened yet.',
      columns: this.#columns(),
    });
    const most = session.about?.limits.traceSeconds ?? 60;
    const durations = [...new Set(DURATIONS.map((duration) => Math.min(duration, most)))];
    this.#time.append(
      ...durations.map((value) => h('option', { value, selected: value === Math.min(60, most) }, span(value * 1_000))),
    );
    this.#filter.addEventListener('input', () => this.#draw());
    this.element = h(
      'div',
      { class: 'part' },
      h(
        'div',
        { class: 'fields' },
        h('label', { class: 'field' }, h('span', {}, 'For'), this.#time),
        ...[this.#start, this.#stop, this.#pause],
        h('label', { class: 'field grows' }, h('span', {}, 'Show only what contains'), this.#filter),
      ),
      this.#status,
      this.#note,
      this.#table.element,
    );
    const clock = setInterval(() => this.#drawStatus(), 1_000);
    this.#stops = [
      () => clearInterval(clock),
      session.client.on('trace', 'events', (batch) => this.#take(batch)),
      session.client.on('trace', 'ended', ({ traceId }) => {
        if (traceId === this.#traceId) this.#over('The trace is over.');
      }),
    ];
    this.#table.update([]);
  }

  /** Begins, or goes on for the rest of its time on a new connection, of which the server knows nothing. */
  async resume(): Promise<void> {
    const rest = this.#endsAt === undefined ? 0 : Math.ceil((this.#endsAt - Date.now()) / 1_000);
    if (!this.#hasBegun) await this.#begin(this.#duration);
    else if (rest > 0) await this.#begin(rest);
  }

  close(): void {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    void this.#askToStop();
  }

  get #duration(): number {
    return Number(this.#time.value);
  }

  async #begin(time: number): Promise<void> {
    const { client } = this.#context.session;
    this.#start.disabled = true;
    this.#hasBegun = true;
    try {
      const { traceId } = await client.request('trace', 'start', { subject: this.#subject, seconds: time });
      this.#traceId = traceId;
      if (this.#isClosed) {
        // Nobody looks any more, and a page follows a few at a time only.
        await this.#askToStop();
        return;
      }
      // The clock of the server may differ.
      this.#endsAt = Date.now() + time * 1_000;
      fill(this.#note);
    } catch (error) {
      this.#endsAt = undefined;
      fill(this.#note, notice('bad', sentenceOf(error)));
    }
    this.#drawStatus();
  }

  async #end(): Promise<void> {
    const asked = this.#askToStop();
    this.#over('The trace was stopped.');
    await asked;
  }

  /** Where it fails, the trace ends by itself. */
  async #askToStop(): Promise<void> {
    const traceId = this.#traceId;
    if (traceId === undefined) return;
    await this.#context.session.client.request('trace', 'stop', { traceId }).catch(() => undefined);
  }

  #over(sentence: string): void {
    this.#traceId = undefined;
    this.#endsAt = undefined;
    this.#context.announcer.say(`${sentence} ${things(this.#seen, 'event')}.`);
    this.#drawStatus();
  }

  #take({ traceId, events, omitted, missing }: TraceBatch): void {
    if (traceId !== this.#traceId) return;
    const rows = events.map((event) => ({ ...event, id: String(++this.#seen) })).reverse();
    this.#omitted += omitted;
    this.#missing = missing;
    if (this.#isPaused) this.#waiting = [...rows, ...this.#waiting].slice(0, KEPT);
    else this.#rows = [...rows, ...this.#rows].slice(0, KEPT);
    if (Date.now() > this.#toldAt + TOLD) {
      this.#toldAt = Date.now();
      this.#context.announcer.say(`${things(this.#seen, 'event')} until now.`);
    }
    if (!this.#isPaused) this.#draw();
    this.#drawStatus();
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) {
      this.#rows = [...this.#waiting, ...this.#rows].slice(0, KEPT);
      this.#waiting = [];
      this.#draw();
    }
    this.#drawStatus();
  }

  #draw(): void {
    const wanted = this.#filter.value.trim().toLowerCase();
    const rows = wanted ? this.#rows.filter((row) => textOf(row).includes(wanted)) : this.#rows;
    this.#table.update(rows.slice(0, SHOWN));
  }

  #drawStatus(): void {
    const rest = this.#endsAt === undefined ? undefined : this.#endsAt - Date.now();
    if (rest !== undefined && rest < -2_000) this.#over('The trace is over.');
    const isRunning = this.#endsAt !== undefined;
    const hadFocus = [this.#start, this.#stop].some((one) => one === document.activeElement);
    this.#start.hidden = isRunning;
    this.#start.disabled = !this.#context.session.isReady;
    this.#stop.hidden = !isRunning;
    if (hadFocus) (isRunning ? this.#stop : this.#start).focus();
    this.#time.disabled = isRunning;
    this.#pause.disabled = !isRunning && !this.#isPaused;
    this.#pause.textContent = this.#isPaused ? 'Go on' : 'Pause';
    fill(
      this.#status,
      isRunning ? badge(`${span(rest ?? 0)} left`, 'good') : badge('not running', 'none'),
      ` ${things(this.#seen, 'event')}`,
      this.#isPaused && ` · ${things(this.#waiting.length, 'new one')} while it stands still`,
      this.#omitted > 0 && ` · ${things(this.#omitted, 'more')} left out: too many at a time`,
      this.#rows.length > SHOWN && ` · the newest ${SHOWN} are shown`,
      this.#missing.length > 0 && ` · ${things(this.#missing.length, 'worker')} tells nothing`,
    );
  }

  #columns() {
    const { kind } = this.#subject;
    const who = {
      title: 'Client',
      cell: ({ clientId, userId }: Row): readonly Child[] => [
        clientId !== undefined &&
          link(linkTo(['clients', clientId]), named(userId ?? shortId(clientId), userId === undefined)),
      ],
    };
    return [
      { title: 'Time', cell: ({ at }: Row) => brief(exactClock(at)) },
      { title: 'What', cell: ({ kind }: Row) => badge(...WORDS[kind]) },
      {
        title: 'Message',
        kind: 'wide' as const,
        cell: ({ name, room, code, recipients, payload }: Row): readonly Child[] => [
          name !== undefined && h('code', {}, named(name)),
          room !== undefined &&
            kind !== 'room' &&
            h('span', { class: 'way' }, ' in ', link(linkTo(['rooms', room]), named(room))),
          code !== undefined && h('span', { class: 'way' }, ' ', h('code', {}, code)),
          recipients !== undefined && h('span', { class: 'way' }, ` to ${things(recipients, 'client')}`),
          payload !== undefined && h('code', { class: 'payload', dir: 'auto' }, payload),
        ],
      },
      ...(kind === 'client' ? [] : [who]),
      { title: 'Took', kind: 'number' as const, cell: ({ ms }: Row) => (ms === undefined ? '' : seconds(ms / 1_000)) },
      { title: 'Size', kind: 'number' as const, cell: ({ size }: Row) => (size === undefined ? '' : bytes(size)) },
      {
        title: 'Worker',
        cell: ({ workerId }: Row) => link(linkTo(['workers', workerId]), brief(shortId(workerId))),
      },
    ];
  }
}

function textOf({ kind, name, clientId, userId, room, code, payload }: Row): string {
  return [WORDS[kind][0], name, clientId, userId, room, code, payload].join(' ').toLowerCase();
}
