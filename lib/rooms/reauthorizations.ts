import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import type { ClientListener } from '../clients/client-listener.interface.js';
import { ClientRegistry } from '../clients/client-registry.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { isUnexpected, toErrorPayload } from '../errors/exception-mapper.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { ConcurrencyLimit } from '../runtime/concurrency-limit.js';
import type { WsUser } from '../ws-client/client-entry.js';
import { AskedRooms, type AskedMembership } from './asked-rooms.js';
import type { MemberProfile } from './membership.js';
import { Memberships } from './memberships.js';
import { Namespaces } from './namespaces.js';
import { RoomNames } from './room-names.js';
import { RoomRegistry } from './room-registry.js';
import { RoomRules } from './room-rules.js';
import { logSubject } from '../clients/session/session-context.js';

/** Questions that run at once: each may be a query of the application's database. */
const QUESTIONS = 16;

/** Whose memberships are asked about again: those of a user, or of a room. */
export type MembershipSubject =
  { readonly kind: 'user'; readonly userId: string } | { readonly kind: 'room'; readonly roomName: string };

/** What the rules have said about a membership; undefined when they have failed. */
type Verdict = { readonly isMember: false } | { readonly isMember: true; readonly profile: MemberProfile | undefined };

/**
 * Asks `rooms.namespace` and `rooms.authorize` again about memberships of this worker's clients that they have asked for
 * themselves. Who may not be there any more is taken out; of the others the members see what the rules show of them now.
 * Where a rule fails, nothing changes: an outage of the application's database must not empty its rooms.
 */
@Injectable()
export class Reauthorizations implements ClientListener {
  readonly #turns = new ConcurrencyLimit(QUESTIONS);
  readonly #names: RoomNames;

  constructor(
    private readonly clients: ClientRegistry,
    private readonly rooms: RoomRegistry,
    private readonly memberships: Memberships,
    private readonly asked: AskedRooms,
    private readonly rules: RoomRules,
    private readonly namespaces: Namespaces,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** Resolves once all questions are answered; never rejects. */
  async of(subject: MembershipSubject): Promise<void> {
    await Promise.all(subject.kind === 'user' ? this.#ofUser(subject.userId) : this.#ofRoom(subject.roomName));
  }

  /** An anonymous client has become a user's. */
  identified(client: ClientSession): void {
    void Promise.all(this.#ofClient(client));
  }

  renewed(client: ClientSession, before: WsUser): void {
    if (!isAsked(client) || hasSameClaims(client.user, before)) return;
    void Promise.all(this.#ofClient(client));
  }

  #ofUser(userId: string): Promise<void>[] {
    return [...(this.clients.ofUser(userId) ?? [])].flatMap((client) => this.#ofClient(client));
  }

  #ofRoom(roomName: string): Promise<void>[] {
    this.namespaces.doubtAll();
    const members = [...(this.rooms.localOf(roomName) ?? [])].map((client) => this.#ask(client, roomName));
    const joining = this.memberships
      .requestsFor(roomName)
      .map(([client, join]) => this.#askBehind(client, roomName, join));
    return [...members, ...joining];
  }

  #ofClient(client: ClientSession): Promise<void>[] {
    if (!isAsked(client)) return [];
    this.namespaces.doubt(client);
    const memberships = this.asked.of(client).map((roomName) => this.#ask(client, roomName));
    const joining = this.memberships
      .requestsOf(client)
      .map(([roomName, join]) => this.#askBehind(client, roomName, join));
    return [...memberships, ...joining];
  }

  /** Asks once a join has ended: the rule was asked about it before, and may answer otherwise now. */
  async #askBehind(client: ClientSession, roomName: string, join: Promise<boolean>): Promise<void> {
    if (await join.catch(() => false)) await this.#ask(client, roomName);
  }

  async #ask(client: ClientSession, roomName: string): Promise<void> {
    const membership = this.asked.find(client, roomName);
    if (!membership || !isAsked(client)) return;
    if (membership.waiting) {
      await membership.waiting;
      return;
    }
    const { questions } = membership;
    const question = this.#turns.take(() => {
      membership.waiting = null;
      return this.#decide(client, roomName, membership);
    });
    // Not where its turn has come at once.
    if (membership.questions === questions) membership.waiting = Promise.resolve(question);
    await question;
  }

  async #decide(client: ClientSession, roomName: string, membership: AskedMembership): Promise<void> {
    const isOver = (): boolean => this.asked.find(client, roomName) !== membership;
    if (isOver()) return;
    const question = ++membership.questions;
    const verdict = await this.#verdictOn(client, roomName);
    // The client has left meanwhile, or the server wants it there, or a question that was asked later was answered sooner.
    if (!verdict || isOver() || question < membership.answered) return;
    membership.answered = question;
    if (verdict.isMember) this.rooms.describe(client, roomName, { profile: verdict.profile ?? null });
    else this.memberships.remove(client, roomName, 'rule');
  }

  async #verdictOn(client: ClientSession, roomName: string): Promise<Verdict | undefined> {
    let rule = 'rooms.namespace';
    try {
      const { namespace } = this.#names.read(roomName);
      const isForeign = namespace !== undefined && (await this.rules.namespaceOf(client)) !== namespace;
      if (isForeign) return { isMember: false };
      rule = 'rooms.authorize';
      return { isMember: true, profile: await this.rules.ask(client, roomName, true) };
    } catch (error) {
      if (isRefusal(error)) return { isMember: false };
      this.errors.report(`A member stays in its room, since ${rule} has failed.`, error, logSubject(client));
      return undefined;
    }
  }
}

/** Whether rules decide about rooms that the client asks for. */
function isAsked({ options: { rooms } }: ClientSession): boolean {
  return rooms.authorize !== undefined || rooms.namespace !== undefined;
}

/** Whether the rule has refused, and neither failed nor run out of time. */
function isRefusal(error: unknown): boolean {
  const { code, retryable } = toErrorPayload(error);
  return !isUnexpected(error) && !retryable && code !== 'INTERNAL';
}

/** Claims of a token that are others in each token of the same user, and say nothing of what it may do. */
const OF_THE_TOKEN: readonly string[] = ['iat', 'exp', 'nbf', 'jti'];

function hasSameClaims(user: WsUser | null, before: WsUser): boolean {
  return user?.userType === before.userType && isDeepStrictEqual(claimsOf(user), claimsOf(before));
}

function claimsOf(user: WsUser | null): object {
  return Object.fromEntries(Object.entries(user?.payload ?? {}).filter(([name]) => !OF_THE_TOKEN.includes(name)));
}
