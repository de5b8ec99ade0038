import type { ClientSummary, RoomSummary } from '../../console-contract.js';
import { sentenceOf } from '../dom/dialog.js';
import { fill, h } from '../dom/element.js';
import { PagedList } from '../dom/paged-list.js';
import { facts, head, link, named, notice, part } from '../dom/parts.js';
import { count, things } from '../format.js';
import { linkTo } from '../router.js';
import type { View, ViewContext } from '../view.js';
import { clientColumns, spread } from './columns.js';

/** One room and its members. */
export class RoomView implements View {
  readonly title: string;
  readonly element = h('div', { class: 'part' });
  readonly #context: ViewContext;
  readonly #key: string;
  readonly #facts = h('div', { class: 'slot' });
  readonly #head = h('div', {});
  readonly #members: PagedList<ClientSummary>;
  #room: RoomSummary | undefined;

  constructor(context: ViewContext, key: string) {
    const { session, announcer, actions } = context;
    this.#context = context;
    this.#key = key;
    this.title = `Room ${key}`;
    const takeOut = {
      title: '',
      kind: 'number' as const,
      cell: ({ clientId }: ClientSummary) =>
        actions.leave({ kind: 'client', clientId }, { key, name: this.#room?.name ?? key }),
    };
    this.#members = new PagedList<ClientSummary>({
      noun: ['member', 'members'],
      search: 'Search by id, user or address',
      ask: (request) => session.client.request('clients', 'list', { ...request, room: key }),
      address: (query) => linkTo(['rooms', key], query),
      tell: (sentence) => announcer.say(sentence),
      table: {
        caption: 'Members',
        key: ({ clientId }) => clientId,
        empty: 'No such client is in the room.',
        columns: [...clientColumns(true), ...(session.about?.allow.includes('leave') ? [takeOut] : [])],
      },
    });
    this.#draw();
    this.element.append(this.#head, this.#facts, part('Members', null, this.#members.element));
  }

  show(query: URLSearchParams): void {
    this.#members.show(query);
  }

  async refresh(): Promise<void> {
    const { client } = this.#context.session;
    await Promise.all([
      this.#members.refresh(),
      client.request('rooms', 'list', { search: this.#key, match: 'prefix', limit: 10 }).then(
        ({ items }) => {
          this.#room = items.find(({ key }) => key === this.#key);
          this.#draw();
          if (!this.#room) fill(this.#facts, notice('warn', 'Nobody is in this room now.'));
        },
        (error: unknown) => fill(this.#facts, notice('bad', sentenceOf(error))),
      ),
    ]);
  }

  #draw(): void {
    const room = this.#room;
    fill(
      this.#head,
      head(named(room?.name ?? this.#key), {
        trail: link(linkTo(['rooms']), 'Rooms'),
        acts: [
          h('a', { class: 'button', href: linkTo(['trace', 'room', this.#key]) }, 'Trace'),
          this.#context.actions.notice({ kind: 'room', room: this.#key }, () =>
            things(this.#room?.members ?? 0, 'client'),
          ),
        ],
      }),
    );
    if (!room) return;
    const isNamed = room.key !== room.name;
    fill(
      this.#facts,
      facts([
        ['Members', count(room.members)],
        ['Namespace', room.namespace === undefined ? null : named(room.namespace)],
        ['Key', isNamed ? named(room.key, true) : null],
        ['On workers', spread(room.workers), true],
      ]),
    );
  }
}
