import type { ConsoleAction, ConsoleTarget } from '../console-contract.js';
import { ask, type Question } from './dom/dialog.js';
import { h, type Child } from './dom/element.js';
import { button, named, type Tone } from './dom/parts.js';
import type { ConsoleSession } from './session.js';

/** What a reason may hold: a close frame has no room for more. */
const REASON = 100;
const NOTICE = 1_000;

/** What was done, before whom it has hit. The server has told the workers then. */
const RESULTS: Readonly<Record<ConsoleAction, string>> = {
  disconnect: 'Disconnected',
  leave: 'Took',
  notice: 'Sent the notice to',
  revoke: 'Revoked the tokens of',
};

type ConnectedTarget = Exclude<ConsoleTarget, { kind: 'room' }>;

/** Buttons that do something to clients: only those that are allowed, each after a question that names whom it hits. */
export class Actions {
  readonly #session: ConsoleSession;
  readonly #tell: (sentence: string) => void;
  readonly #done: () => void;

  /**
   * @param tell tells the reader what was done
   * @param done called afterwards: what is shown may have changed
   */
  constructor(session: ConsoleSession, tell: (sentence: string) => void, done: () => void) {
    this.#session = session;
    this.#tell = tell;
    this.#done = done;
  }

  /** @param extent says how many connections that are, when it is asked */
  disconnect(target: ConnectedTarget, extent: () => string): HTMLButtonElement | null {
    return this.#offer('disconnect', 'Disconnect', 'bad', nameOf(target), () => ({
      title: 'Disconnect?',
      hits: [paragraph('Closes ', whom(target), ` (${extent()}). Clients do not come back by themselves.`)],
      field: { label: 'Reason, which the client is told (optional)', most: REASON },
      verb: 'Disconnect',
      isGrave: true,
      act: (reason) => this.#session.client.request('action', 'disconnect', { target, reason: reason || undefined }),
    }));
  }

  /** @param room its key, and what clients call it */
  leave(target: ConnectedTarget, room: { readonly key: string; readonly name: string }): HTMLButtonElement | null {
    return this.#offer('leave', 'Take out', 'none', `${nameOf(target)} out of the room ${room.name}`, () => ({
      title: 'Take out of the room?',
      hits: [paragraph('Takes ', whom(target), ' out of the room ', strong(room.name), '. The connection stays.')],
      verb: 'Take out',
      act: () => this.#session.client.request('action', 'leave', { target, room: room.key }),
    }));
  }

  /** @param extent as for {@link disconnect} */
  notice(target: ConsoleTarget, extent: () => string): HTMLButtonElement | null {
    return this.#offer('notice', 'Send notice', 'none', nameOf(target), () => ({
      title: 'Send a notice',
      hits: [paragraph('Goes to ', whom(target), ` (${extent()}), as the push `, h('code', {}, 'console:notice'), '.')],
      field: { label: 'Text', isLong: true, isRequired: true, most: NOTICE },
      verb: 'Send',
      act: (text) => this.#session.client.request('action', 'notice', { target, text }),
    }));
  }

  /** @param extent as for {@link disconnect} */
  revoke(userId: string, extent: () => string): HTMLButtonElement | null {
    const target = { kind: 'user', userId } as const;
    return this.#offer('revoke', 'Revoke tokens', 'bad', nameOf(target), () => ({
      title: 'Revoke all tokens?',
      hits: [
        paragraph(
          ...['All tokens of the user ', strong(userId), ' that were issued until now are refused from now on'],
          `, and ${extent()} will be closed. This cannot be undone.`,
        ),
      ],
      verb: 'Revoke',
      isGrave: true,
      act: () => this.#session.client.request('action', 'revoke', { userId }),
    }));
  }

  /** @param whom what is hit: it tells apart buttons of one title, and stands in the result */
  #offer(
    action: ConsoleAction,
    title: string,
    tone: Tone,
    whom: string,
    question: () => Question,
  ): HTMLButtonElement | null {
    if (!this.#session.about?.allow.includes(action)) return null;
    const run = async (): Promise<void> => {
      if (!(await ask(question()))) return;
      this.#tell(`${RESULTS[action]} ${whom}.`);
      this.#done();
    };
    const offer = button(title, () => void run(), { tone, class: action === 'leave' ? 'small' : '' });
    offer.setAttribute('aria-label', `${title}: ${whom}`);
    return offer;
  }
}

function whom(target: ConsoleTarget): Node {
  const words = { client: 'the client ', user: 'all connections of the user ', room: 'all members of the room ' };
  return h('span', {}, words[target.kind], strong(idOf(target)));
}

function nameOf(target: ConsoleTarget): string {
  return `the ${target.kind} ${idOf(target)}`;
}

/** The id of what a target means. */
export function idOf(target: ConsoleTarget): string {
  if (target.kind === 'client') return target.clientId;
  return target.kind === 'user' ? target.userId : target.room;
}

function strong(name: string): Node {
  return h('strong', {}, named(name));
}

function paragraph(...children: readonly Child[]): HTMLElement {
  return h('p', {}, ...children);
}
