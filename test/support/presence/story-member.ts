import type { WsMemberList, WsPresencePush } from '../../../lib/protocol/presence.js';
import { answerOf, codeOf, FrameClient, namesOf, type Frame, type Speech } from '../frame-client.js';
import { RoomView, textOf } from './room-view.js';

/** What a member says of itself in a room, and what it asks. */
export interface Stay {
  readonly roomName: string;
  username: string | undefined;
  state: unknown;
  /** Whether it has set a state, or none, since it came. */
  hasState: boolean;
  /** States, as texts, that it may have taken over from lost clients of its user, in whose place it has come. */
  inherited: ReadonlySet<string>;
  /** When its state was asked for first, and when that was answered last, by `performance.now()`. */
  readonly stateAt: { sent: number; answered: number };
  /** Whether it wants to know who is there. */
  watches: boolean;
}

/** Codes after which a join is repeated. */
const REPEATED = new Set(['UNAVAILABLE', 'TIMEOUT']);
const RETRY = 20;

/**
 * A client that is in rooms with presence, as PROTOCOL.md describes one, on bare frames: it comes back with its secret and with
 * what it had said of itself, and writes down what it is told.
 */
export class StoryMember extends FrameClient {
  readonly stays = new Map<string, Stay>();
  readonly faults: string[] = [];
  /** The rooms that it is in for sure, each with the id by which it is known there if it is a member by itself. */
  readonly memberIds = new Map<string, ReadonlySet<string>>();
  /** Called when it is in a room for sure, and when it may be no more: `left` by its own will, `lost` with its connection. */
  onEntered: (roomName: string) => void = () => {};
  onExited: (roomName: string, how: 'left' | 'lost') => void = () => {};
  /** Called when its connection has gone before its join was answered: it may have been in the room, and gone again. */
  onDoubt: (roomName: string, ids: ReadonlySet<string>) => void = () => {};
  /** What its profile has shown of it since it was connected. */
  profileName = '';
  readonly #views = new Map<string, RoomView>();
  /** Views of former connections. */
  readonly #former: { roomName: string; view: RoomView }[] = [];
  /** How many joins of each room have no answer yet. */
  readonly #joining = new Map<string, number>();
  #secret: string | undefined;
  /** The ids by which it was known when it lost its connection. */
  #formerIds = new Map<string, ReadonlySet<string>>();
  #isSame = false;
  #forgets = false;

  /** @param name what only its profile shows of it */
  constructor(
    public userId: string | undefined,
    readonly name: string,
    speech: Speech,
  ) {
    super(speech);
  }

  /** What it knows of a room over its present connection. */
  viewOf(roomName: string): RoomView {
    let view = this.#views.get(roomName);
    if (!view) this.#views.set(roomName, (view = new RoomView()));
    return view;
  }

  /** All views of a room, the present one last. */
  viewsOf(roomName: string): RoomView[] {
    const former = this.#former.filter((kept) => kept.roomName === roomName).map(({ view }) => view);
    return [...former, this.viewOf(roomName)];
  }

  /** @param forgets whether it has forgotten its secret */
  async connect(url: string, forgets = false): Promise<void> {
    const { userId, name } = this;
    this.profileName = userId === undefined ? 'nobody' : name;
    this.#forgets = forgets;
    const secret = forgets ? undefined : this.#secret;
    // What nobody but the server may see.
    const claims = { name, hidden: 'hidden' };
    const query = { ...(userId === undefined ? {} : { userId, ...claims }), ...(secret && { resume: secret }) };
    if (!(await this.open(url, query))) return;
    await Promise.all([...this.stays.values()].map((stay) => this.#enter(stay)));
  }

  async join(roomName: string, wish: Pick<Stay, 'username' | 'state' | 'watches'>): Promise<void> {
    const sent = performance.now();
    const hasState = wish.state !== undefined && wish.state !== null;
    const stateAt = { sent, answered: Infinity };
    const stay = { roomName, ...wish, hasState, inherited: new Set<string>(), stateAt };
    this.stays.set(roomName, stay);
    if (this.isWelcome) await this.#enter(stay);
  }

  /** Joins the room again that it is in, under another name. */
  async rename(roomName: string, username: string): Promise<void> {
    const stay = this.stays.get(roomName)!;
    stay.username = username;
    if (this.isWelcome) await this.#enter(stay);
  }

  async leave(roomName: string): Promise<void> {
    this.stays.delete(roomName);
    if (!this.isWelcome) return;
    const ids = this.memberIds.get(roomName);
    this.#exit(roomName, 'left');
    // Before any frame that comes behind the answer.
    const answered = (): void => this.viewOf(roomName).ended();
    const frame = await (this.isPxl
      ? this.ask('leaveRoom', { roomName }, answered)
      : this.ask('leave', { rooms: [roomName] }, answered));
    // Its next connection may have taken its place before the server has read this.
    if (frame === null && ids) this.#formerIds.set(roomName, ids);
  }

  async setState(roomName: string, state: unknown): Promise<void> {
    const stay = this.stays.get(roomName)!;
    // Its next connection, on another worker, may take its place before that has heard of this.
    stay.inherited = new Set([...stay.inherited, textOf(stay.state ?? null)]);
    stay.state = state;
    stay.hasState = true;
    stay.stateAt.sent = performance.now();
    stay.stateAt.answered = Infinity;
    if (!this.isWelcome) return;
    const { connection } = this;
    const frame = await this.ask('presence', { roomName, state });
    stay.stateAt.answered = performance.now();
    const code = frame && codeOf(frame);
    // It may be on its way into the room, or out of it.
    if (code && code !== 'FORBIDDEN' && this.connection === connection) this.faults.push(`a state is refused: ${code}`);
  }

  /** Begins to hear who is there, or ends that. */
  async watch(roomName: string, watches: boolean): Promise<void> {
    const stay = this.stays.get(roomName)!;
    stay.watches = watches;
    if (!this.isWelcome) return;
    await this.ask('members', { roomName, presence: watches }, (answer) => {
      if (codeOf(answer) !== undefined) return;
      if (watches) this.viewOf(roomName).listed(answerOf(answer) as Partial<WsMemberList>);
      else this.viewOf(roomName).ended();
    });
  }

  /** The members of a room, in pages of so many. */
  async read(roomName: string, limit: number): Promise<WsMemberList | string> {
    const members: WsMemberList['members'][number][] = [];
    for (;;) {
      const last = members.at(-1);
      const after = last && (last.clientId ?? last.userId);
      const frame = await this.ask('members', { roomName, limit, ...(after !== undefined && { after }) });
      if (!frame) return 'the connection is gone';
      const code = codeOf(frame);
      if (code !== undefined) return code;
      const page = answerOf(frame) as WsMemberList;
      members.push(...page.members);
      if (page.partial !== true) return { members, count: page.count };
      if (page.members.length === 0) return 'an empty page, and more behind it';
    }
  }

  /** A quiet point: what was told before was right. */
  rest(): void {
    this.#former.length = 0;
    for (const view of this.#views.values()) view.rest();
  }

  /** It is another user from now on: the server has said so. */
  becomes(userId: string): void {
    for (const roomName of this.memberIds.keys()) this.onExited(roomName, 'left');
    this.userId = userId;
    for (const roomName of this.memberIds.keys()) this.onEntered(roomName);
  }

  /** Joins, again and again until there is an answer that holds or the connection has gone. */
  async #enter(stay: Stay): Promise<void> {
    const { roomName } = stay;
    const { connection, clientId } = this;
    const former = this.#formerIds.get(roomName) ?? [];
    while (this.connection === connection && this.stays.get(roomName) === stay) {
      const { username, state, watches } = stay;
      const wish = {
        ...(watches && { presence: true }),
        ...(username !== undefined && { username }),
        ...(state !== undefined && state !== null && { state }),
      };
      const asked = (this.#joining.get(roomName) ?? 0) + 1;
      this.#joining.set(roomName, asked);
      const answered = (frame: Frame): void => {
        this.#joining.set(roomName, this.#joining.get(roomName)! - 1);
        this.#joined(stay, frame);
      };
      const frame = await (this.isPxl
        ? this.ask('joinRoom', { roomName, ...wish }, answered)
        : this.ask('join', { rooms: [{ room: roomName, ...wish }] }, answered));
      if (frame === null) this.#doubt(roomName, new Set([...former, clientId]));
      if (frame === null || !REPEATED.has(codeOf(frame) ?? '')) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY));
    }
  }

  #doubt(roomName: string, ids: ReadonlySet<string>): void {
    this.#formerIds.set(roomName, ids);
    this.onDoubt(roomName, ids);
  }

  #joined(stay: Stay, frame: Frame): void {
    const { roomName } = stay;
    const code = codeOf(frame);
    if (code !== undefined) {
      // It has left meanwhile.
      if (!REPEATED.has(code) && code !== 'CONFLICT') this.faults.push(`the join of ${roomName} is refused: ${code}`);
      return;
    }
    if (this.stays.get(roomName) !== stay) return;
    stay.stateAt.answered = performance.now();
    if (stay.watches) this.viewOf(roomName).listed(answerOf(frame) as Partial<WsMemberList>);
    if (this.memberIds.has(roomName)) return;
    const former = this.#isSame ? (this.#formerIds.get(roomName) ?? []) : [];
    this.#formerIds.delete(roomName);
    this.memberIds.set(roomName, new Set([...former, this.clientId]));
    // None is nothing to say at a join: it is the state that its place has.
    stay.hasState = stay.state !== undefined && stay.state !== null;
    this.onEntered(roomName);
  }

  protected override welcomed(data: Readonly<Record<string, unknown>>): void {
    const { resume, resumed } = data as { resume?: string; resumed?: boolean };
    if (resume === undefined) this.faults.push('a welcome without a secret');
    if (this.#forgets && resumed !== undefined) this.faults.push(`resumed is ${resumed}, and no secret was told`);
    this.#secret = resume;
    this.#isSame = resumed === true;
  }

  protected override pushed(frame: Frame, bytes: number): void {
    const { type, action } = namesOf(frame);
    if (type !== 'room') return;
    const data = frame.data as WsPresencePush;
    if (action === 'presence') this.viewOf(data.roomName).pushed(data, bytes);
    if (action === 'left') this.#takenOut(data.roomName);
  }

  /** The server has taken it out of a room; what it has asked for since brings it in again. */
  #takenOut(roomName: string): void {
    this.#exit(roomName, 'left');
    this.viewOf(roomName).ended();
    if ((this.#joining.get(roomName) ?? 0) === 0) this.stays.delete(roomName);
  }

  protected override gone(): void {
    for (const [roomName, view] of this.#views) this.#former.push({ roomName, view });
    this.#views.clear();
    this.#joining.clear();
    for (const [roomName, ids] of this.memberIds) this.#formerIds.set(roomName, ids);
    const how = this.closes.at(-1) === 1000 ? 'left' : 'lost';
    for (const roomName of [...this.memberIds.keys()]) this.#exit(roomName, how);
  }

  #exit(roomName: string, how: 'left' | 'lost'): void {
    if (!this.memberIds.has(roomName)) return;
    this.onExited(roomName, how);
    this.memberIds.delete(roomName);
  }
}
