import type { ClientReport } from '../../console-contract.js';
import { sentenceOf } from '../dom/dialog.js';
import { fill, h, type Child } from '../dom/element.js';
import { badge, facts, head, link, named, notice, part, since, tags } from '../dom/parts.js';
import { bytes, moment, shortId, things } from '../format.js';
import { linkTo } from '../router.js';
import { TracePanel } from '../trace-panel.js';
import type { View, ViewContext } from '../view.js';
import { userLink, workerLink } from './columns.js';

/** The life of one client: how it came, who it is, where it is, and its messages as they come. */
export class ClientView implements View {
  readonly title: string;
  readonly element = h('div', { class: 'part' });
  readonly #context: ViewContext;
  readonly #clientId: string;
  readonly #head = h('div', {});
  readonly #facts = h('div', { class: 'slot' });
  readonly #rooms = h('div', { class: 'slot' });
  readonly #trace: TracePanel;
  #client: ClientReport | undefined;

  constructor(context: ViewContext, clientId: string) {
    this.#context = context;
    this.#clientId = clientId;
    this.title = `Client ${shortId(clientId)}`;
    this.#trace = new TracePanel(context, { kind: 'client', clientId });
    this.#drawHead();
    this.element.append(this.#head, this.#facts, this.#rooms, part('Messages', null, this.#trace.element));
  }

  async refresh(): Promise<void> {
    try {
      const client = await this.#context.session.client.request('clients', 'get', { clientId: this.#clientId });
      this.#client = client;
      this.#drawHead();
      fill(this.#facts, ...factsOf(client));
      fill(this.#rooms, ...this.#roomsOf(client));
    } catch (error) {
      const isGone = (error as { code?: unknown }).code === 'NOT_FOUND';
      if (isGone) this.#client = undefined;
      this.#drawHead();
      // What was known stays to be read.
      const text = isGone ? 'This client is not connected any more.' : sentenceOf(error);
      const old = [...this.#facts.children].filter((element) => !element.matches('.notice'));
      this.#facts.replaceChildren(notice(isGone ? 'warn' : 'bad', text), ...old);
    }
  }

  connected(): void {
    void this.#trace.resume();
  }

  close(): void {
    this.#trace.close();
  }

  #drawHead(): void {
    const target = { kind: 'client', clientId: this.#clientId } as const;
    const { actions } = this.#context;
    const extent = (): string => {
      const { userId, path = '' } = this.#client ?? {};
      return userId ? `user ${userId}, at ${path}` : `anonymous, at ${path}`;
    };
    fill(
      this.#head,
      head(['Client ', named(this.#clientId, true)], {
        trail: link(linkTo(['clients']), 'Clients'),
        acts: this.#client ? [actions.notice(target, extent), actions.disconnect(target, extent)] : [],
      }),
    );
  }

  #roomsOf(client: ClientReport): readonly Child[] {
    const target = { kind: 'client', clientId: this.#clientId } as const;
    const items = client.roomList.map(({ key, name, namespace }) => [
      h(
        'span',
        {},
        link(linkTo(['rooms', key]), named(name)),
        namespace !== undefined && h('span', { class: 'way' }, ' in ', named(namespace)),
      ),
      this.#context.actions.leave(target, { key, name }),
    ]);
    const hint = client.rooms > items.length && `the first ${items.length} of ${client.rooms}`;
    return [part('Rooms', hint, items.length > 0 ? tags(items) : h('p', { class: 'hint' }, 'It is in no room.'))];
  }
}

function factsOf(client: ClientReport): readonly Child[] {
  const { upgrade, token, outbox } = client;
  const params = Object.entries(upgrade.params).map(([name, value]) => `${name} = ${value}`);
  const kinds = [client.protocol, client.encrypted && 'encrypted', client.compressed && 'compressed'].filter(Boolean);
  return [
    facts([
      ['User', h('span', {}, userLink(client.userId), client.userType !== undefined && ` (${client.userType})`)],
      [
        'State',
        badge(client.state, client.state === 'authenticated' || client.state === 'unauthorized' ? 'good' : 'warn'),
      ],
      ['Connected', moment(client.connectedAt)],
      ['Connected for', since(client.connectedAt)],
      ['Silent for', since(client.lastActivity)],
      ['Worker', workerLink(client.workerId)],
      ['Path', h('code', {}, named(client.path))],
      ['Address', client.ip],
      ['Origin', upgrade.origin === undefined ? null : named(upgrade.origin)],
      ['Connection', kinds.join(', ')],
      ['Parameters', params.length > 0 ? named(params.join(', ')) : null],
      ['Token issued', token?.issuedAt === undefined ? null : moment(token.issuedAt)],
      ['Token expires', token?.expiresAt === undefined ? null : moment(token.expiresAt)],
      ['Sent', bytes(outbox.sent)],
      [
        'Waiting to be sent',
        h('span', {}, `${bytes(outbox.waiting)} `, outbox.isOverBudget && badge('over its budget', 'warn')),
      ],
      ['Rooms', things(client.rooms, 'room')],
      ['Browser or program', upgrade.userAgent === undefined ? null : named(upgrade.userAgent), true],
      ['User, as its token says', json(client.user), true],
      ['Metadata', json(client.metadata), true],
    ]),
  ];
}

/** Null for what is not told, and for what is empty. */
function json(value: unknown): HTMLElement | null {
  const text = JSON.stringify(value ?? {});
  if (text === '{}') return null;
  return h('code', { class: 'payload' }, text.length < 100 ? text : JSON.stringify(value, null, 2));
}
