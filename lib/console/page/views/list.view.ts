import type { ClientSummary, RoomSummary, UserSummary } from '../../console-contract.js';
import { h } from '../dom/element.js';
import { PagedList, type ListParts } from '../dom/paged-list.js';
import { head, link, named } from '../dom/parts.js';
import { count } from '../format.js';
import { linkTo } from '../router.js';
import type { View, ViewContext } from '../view.js';
import { clientColumns, spread, userLink } from './columns.js';

/** What lists differ by. */
interface Listing<Row> extends Omit<ListParts<Row>, 'address' | 'tell'> {
  readonly title: string;
  readonly hint: string;
  /** The first part of its address. */
  readonly place: string;
}

/** A list of all that there is of a kind, on all workers. */
class ListView<Row> implements View {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #list: PagedList<Row>;

  constructor({ announcer }: ViewContext, { title, hint, place, ...parts }: Listing<Row>) {
    this.title = title;
    this.#list = new PagedList({
      ...parts,
      address: (query) => linkTo([place], query),
      tell: (sentence) => announcer.say(sentence),
    });
    this.element = h('div', { class: 'part' }, head(title, { hint }), this.#list.element);
  }

  show(query: URLSearchParams): void {
    this.#list.show(query);
  }

  refresh(): Promise<void> {
    return this.#list.refresh();
  }
}

export function roomsView(context: ViewContext): View {
  return new ListView<RoomSummary>(context, {
    title: 'Rooms',
    hint: 'All that have members, in the order of their names.',
    place: 'rooms',
    noun: ['room', 'rooms'],
    search: 'Search by name',
    ask: (request) => context.session.client.request('rooms', 'list', request),
    table: {
      caption: 'Rooms',
      key: ({ key }) => key,
      empty: 'No such room has members.',
      columns: [
        {
          title: 'Room',
          cell: ({ key, name, namespace }) => [
            link(linkTo(['rooms', key]), named(name)),
            namespace !== undefined && h('span', { class: 'way' }, ' in ', named(namespace)),
          ],
        },
        { title: 'Members', kind: 'number', cell: ({ members }) => count(members) },
        { title: 'On workers', kind: 'wide', cell: ({ workers }) => spread(workers) },
      ],
    },
  });
}

export function usersView(context: ViewContext): View {
  return new ListView<UserSummary>(context, {
    title: 'Users',
    hint: 'All that are connected, in the order of their ids.',
    place: 'users',
    noun: ['user', 'users'],
    search: 'Search by id',
    ask: (request) => context.session.client.request('users', 'list', request),
    table: {
      caption: 'Users',
      key: ({ userId }) => userId,
      empty: 'No such user is connected.',
      columns: [
        { title: 'User', cell: ({ userId }) => userLink(userId) },
        { title: 'Type', cell: ({ userType }) => userType },
        { title: 'Connections', kind: 'number', cell: ({ connections }) => count(connections) },
        { title: 'On workers', kind: 'wide', cell: ({ workers }) => spread(workers) },
      ],
    },
  });
}

export function clientsView(context: ViewContext): View {
  return new ListView<ClientSummary>(context, {
    title: 'Clients',
    hint: 'Each is one connection.',
    place: 'clients',
    noun: ['client', 'clients'],
    search: 'Search by id, user or address',
    ask: (request) => context.session.client.request('clients', 'list', request),
    table: {
      caption: 'Clients',
      key: ({ clientId }) => clientId,
      empty: 'No such client is connected.',
      columns: clientColumns(true),
    },
  });
}
