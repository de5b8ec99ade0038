import type { ConsoleTarget } from '../../console-contract.js';
import { h, type Child } from '../dom/element.js';
import { head, link, named } from '../dom/parts.js';
import { linkTo } from '../router.js';
import { TracePanel } from '../trace-panel.js';
import type { View, ViewContext } from '../view.js';

const KINDS = { room: 'Room', user: 'User', client: 'Client' } as const;

/** What a user, a room or a client gets and sends, as it happens. Without a subject it asks for one. */
export class TraceView implements View {
  readonly title: string;
  readonly element = h('div', { class: 'part' });
  readonly #panel: TracePanel | undefined;

  constructor(context: ViewContext, kind = 'room', id?: string) {
    const subject = id === undefined ? undefined : subjectOf(kind, id);
    this.title = subject ? `Trace of ${id}` : 'Trace';
    this.element.append(
      head('Trace', {
        hint: subject
          ? h(
              'span',
              {},
              `What happens to the ${kind} `,
              link(linkTo([`${kind}s`, id ?? '']), named(id ?? '')),
              ', on all workers.',
            )
          : 'Follow the messages of one room, user or client on all workers, for a bounded time.',
      }),
      form(kind, id),
    );
    if (!subject) return;
    this.#panel = new TracePanel(context, subject);
    this.element.append(this.#panel.element);
  }

  connected(): void {
    void this.#panel?.resume();
  }

  close(): void {
    this.#panel?.close();
  }
}

function form(kind: string, id = ''): HTMLElement {
  const options = Object.entries(KINDS).map(([value, name]) => h('option', { value, selected: value === kind }, name));
  const choice = h('select', {}, ...options);
  const name = h('input', {
    type: 'text',
    required: true,
    dir: 'auto',
    autocomplete: 'off',
    spellcheck: 'false',
    value: id,
  });
  const field = (title: string, control: Child, more = ''): HTMLElement =>
    h('label', { class: `field ${more}` }, h('span', {}, title), control);
  const element = h(
    'form',
    { class: 'fields' },
    field('Whom', choice),
    field('Key of the room, or id', name, 'grows'),
    h('button', { class: 'button', type: 'submit' }, 'Trace'),
  );
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    location.hash = linkTo(['trace', choice.value, name.value.trim()]);
  });
  return element;
}

function subjectOf(kind: string, id: string): ConsoleTarget {
  if (kind === 'user') return { kind, userId: id };
  return kind === 'client' ? { kind, clientId: id } : { kind: 'room', room: id };
}
