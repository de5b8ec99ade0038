import type { ClientSummary } from '../../console-contract.js';
import type { Column } from '../dom/data-table.js';
import { h, type Child } from '../dom/element.js';
import { badge, brief, link, named, since } from '../dom/parts.js';
import { count, shortId } from '../format.js';
import { linkTo } from '../router.js';

/** Of how many workers it is told that they have something. */
const TOLD = 4;

/** How many of something each worker has, the most first. */
export function spread(workers: Readonly<Record<string, number>>): readonly Child[] {
  const all = Object.entries(workers).sort((a, b) => b[1] - a[1]);
  const told = all
    .slice(0, TOLD)
    .map(([workerId, number], at) => [
      at > 0 && ' · ',
      h('span', { class: 'brief' }, workerLink(workerId), ` ${count(number)}`),
    ]);
  return [...told, all.length > TOLD && ` · and ${all.length - TOLD} more`];
}

export function workerLink(workerId: string): HTMLElement {
  return link(linkTo(['workers', workerId]), brief(shortId(workerId)));
}

export function userLink(userId: string | null): Child {
  return userId === null ? h('span', { class: 'hint' }, 'anonymous') : link(linkTo(['users', userId]), named(userId));
}

/** Columns of a list of clients; without a user's where all are of one. */
export function clientColumns(withUser: boolean): readonly Column<ClientSummary>[] {
  return [
    {
      title: 'Client',
      cell: ({ clientId, isSlow }) => [
        link(linkTo(['clients', clientId]), named(clientId, true)),
        isSlow && ' ',
        isSlow && badge('slow', 'warn'),
      ],
    },
    ...(withUser ? [{ title: 'User', cell: ({ userId }: ClientSummary) => userLink(userId) }] : []),
    { title: 'Worker', cell: ({ workerId }) => workerLink(workerId) },
    { title: 'Path', cell: ({ path }) => h('code', {}, path) },
    { title: 'Address', cell: ({ ip }) => ip },
    { title: 'Rooms', kind: 'number', cell: ({ rooms }) => count(rooms) },
    { title: 'Connected for', kind: 'number', cell: ({ connectedAt }) => since(connectedAt) },
    { title: 'Silent for', kind: 'number', cell: ({ lastActivity }) => since(lastActivity) },
  ];
}
