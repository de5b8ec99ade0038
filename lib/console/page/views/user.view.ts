import type { ClientSummary, UserSummary } from '../../console-contract.js';
import { sentenceOf } from '../dom/dialog.js';
import { fill, h } from '../dom/element.js';
import { PagedList } from '../dom/paged-list.js';
import { facts, head, link, named, notice, part } from '../dom/parts.js';
import { count, things } from '../format.js';
import { linkTo } from '../router.js';
import type { View, ViewContext } from '../view.js';
import { clientColumns, spread } from './columns.js';

/** One user and its connections. */
export class UserView implements View {
  readonly title: string;
  readonly element = h('div', { class: 'part' });
  readonly #context: ViewContext;
  readonly #userId: string;
  readonly #facts = h('div', { class: 'slot' });
  readonly #head = h('div', {});
  readonly #connections: PagedList<ClientSummary>;
  #user: UserSummary | undefined;

  constructor(context: ViewContext, userId: string) {
    const { session, announcer } = context;
    this.#context = context;
    this.#userId = userId;
    this.title = `User ${userId}`;
    this.#connections = new PagedList<ClientSummary>({
      noun: ['connection', 'connections'],
      ask: (request) => session.client.request('clients', 'list', { ...request, userId }),
      address: (query) => linkTo(['users', userId], query),
      tell: (sentence) => announcer.say(sentence),
      table: {
        caption: 'Connections',
        key: ({ clientId }) => clientId,
        empty: 'The user is not connected.',
        columns: clientColumns(false),
      },
    });
    this.#draw();
    this.element.append(this.#head, this.#facts, part('Connections', null, this.#connections.element));
  }

  show(query: URLSearchParams): void {
    this.#connections.show(query);
  }

  async refresh(): Promise<void> {
    const { client } = this.#context.session;
    await Promise.all([
      this.#connections.refresh(),
      client.request('users', 'list', { search: this.#userId, match: 'prefix', limit: 10 }).then(
        ({ items }) => {
          this.#user = items.find(({ userId }) => userId === this.#userId);
          this.#draw();
        },
        (error: unknown) => fill(this.#facts, notice('bad', sentenceOf(error))),
      ),
    ]);
  }

  #draw(): void {
    const { actions } = this.#context;
    const [user, userId] = [this.#user, this.#userId];
    const target = { kind: 'user', userId } as const;
    const extent = (): string => things(this.#user?.connections ?? 0, 'connection');
    fill(
      this.#head,
      head(named(userId), {
        trail: link(linkTo(['users']), 'Users'),
        acts: [
          h('a', { class: 'button', href: linkTo(['trace', 'user', userId]) }, 'Trace'),
          actions.notice(target, extent),
          actions.disconnect(target, extent),
          actions.revoke(userId, extent),
        ],
      }),
    );
    fill(
      this.#facts,
      facts([
        ['Connections', count(user?.connections ?? 0)],
        ['Type', user?.userType ?? null],
        ['On workers', user ? spread(user.workers) : null, true],
      ]),
    );
  }
}
