import type { PageQuery } from '../cluster/calls/inspection.js';
import { WsError } from '../errors/ws.error.js';
import type { Inspected, Inspector } from '../server/inspection/inspector.js';
import type { ClientsRequest, ClientSummary, Page, PageRequest, RoomSummary, UserSummary } from './console-contract.js';

/** The largest page. */
export const MOST_PER_PAGE = 100;
const USUAL = 50;
/** Characters of the longest search. */
const LONGEST = 1_024;

/** Lists over all workers, page by page. */
export class ClusterLists {
  constructor(private readonly inspector: Inspector) {}

  async rooms(data: unknown): Promise<Page<RoomSummary>> {
    const page = readPage(data);
    const found = await this.inspector.ask<'rooms'>({ what: 'rooms', page });
    const rooms = new Map<string, RoomSummary>();
    for (const [workerId, room] of rowsOf(found)) {
      const before = rooms.get(room.key);
      const workers = { ...before?.workers, [workerId]: room.members };
      rooms.set(room.key, { ...room, members: room.members + (before?.members ?? 0), workers });
    }
    return cut([...rooms.values()], ({ key }) => key, page, found);
  }

  async users(data: unknown): Promise<Page<UserSummary>> {
    const page = readPage(data);
    const found = await this.inspector.ask<'users'>({ what: 'users', page });
    const users = new Map<string, UserSummary>();
    for (const [workerId, user] of rowsOf(found)) {
      const before = users.get(user.userId);
      const workers = { ...before?.workers, [workerId]: user.connections };
      users.set(user.userId, { ...user, connections: user.connections + (before?.connections ?? 0), workers });
    }
    return cut([...users.values()], ({ userId }) => userId, page, found);
  }

  async clients(data: unknown): Promise<Page<ClientSummary>> {
    const page = readPage(data);
    const { room, userId } = Object(data ?? {}) as ClientsRequest;
    if (![room, userId].every(isOptionalText)) throw new WsError('BAD_MESSAGE', 'room and userId are texts.');
    const found = await this.inspector.ask<'clients'>({ what: 'clients', page, room, userId });
    const clients = found.answers.flatMap(({ value }) => value);
    return cut(clients, ({ clientId }) => clientId, page, found);
  }
}

/** One more than the page is asked for: it shows whether there is another page. */
function readPage(data: unknown): PageQuery {
  const { search = '', match = 'contains', cursor = null, limit = USUAL } = Object(data ?? {}) as PageRequest;
  const isLimit = Number.isSafeInteger(limit) && limit >= 1 && limit <= MOST_PER_PAGE;
  const isCursor = cursor === null || typeof cursor === 'string';
  const isSearch = typeof search === 'string' && search.length <= LONGEST;
  if (!isLimit || !isCursor || !isSearch || !['contains', 'prefix'].includes(match)) {
    throw new WsError('BAD_MESSAGE', `A page is asked for with texts, and a limit of 1 to ${MOST_PER_PAGE}.`);
  }
  return { search: search.toLowerCase(), isPrefix: match === 'prefix', after: cursor, limit: limit + 1 };
}

/**
 * A worker's part of a page has its first names. So whatever is among the first of all names is in the part of each worker that has
 * it, and its sum is complete.
 */
function cut<Item>(
  items: Item[],
  nameOf: (item: Item) => string,
  { limit }: PageQuery,
  { silent, older }: Inspected<'rooms' | 'users' | 'clients'>,
): Page<Item> {
  const sorted = items.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)).slice(0, limit - 1);
  const last = sorted.at(-1);
  const hasMore = items.length > sorted.length;
  return { items: sorted, next: hasMore && last !== undefined ? nameOf(last) : null, missing: [...silent, ...older] };
}

function* rowsOf<Row>({
  answers,
}: {
  readonly answers: readonly { readonly workerId: string; readonly value: readonly Row[] }[];
}): Generator<[workerId: string, row: Row]> {
  for (const { workerId, value } of answers) for (const row of value) yield [workerId, row];
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}
