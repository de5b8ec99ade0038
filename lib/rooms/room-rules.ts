import { Inject, Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { RuleFactory } from '../auth/rule-factory.js';
import { thrownRefusal } from '../auth/thrown-refusal.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { isUnexpected } from '../errors/exception-mapper.js';
import { isRecord, kindOf } from '../errors/kind-of.js';
import { ModuleLogger } from '../errors/module-logger.js';
import { WsError } from '../errors/ws.error.js';
import type {
  WsAuthorizeRoom,
  WsMemberProfiler,
  WsProfileOfMember,
  WsRoomAuthorizer,
  WsRoomVerdict,
} from '../options/rooms/rooms.options.js';
import { isClassWith } from '../options/checks/class-checks.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { isThenable } from '../runtime/thenable.js';
import type { MemberProfile } from './membership.js';
import { isNamespace, RoomNames } from './room-names.js';
import { logSubject } from '../clients/session/session-context.js';

const WHISPER_FAILED = 'rooms.whisper failed.';

interface CompiledRules {
  readonly authorize: WsAuthorizeRoom | undefined;
  readonly profile: WsProfileOfMember | undefined;
}

/**
 * The application's rules for joins: `rooms.open` and `rooms.authorize` for those that clients ask for, `rooms.profile` for
 * all.
 */
@Injectable()
export class RoomRules implements OnModuleInit {
  readonly #rules = new Map<ResolvedOptions, CompiledRules>();
  readonly #logger = new ModuleLogger();
  /** The paths of endpoints for which the log tells already that a request was refused. */
  readonly #toldPaths = new Set<string>();
  readonly #names: RoomNames;

  constructor(
    private readonly rules: RuleFactory,
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** @throws PxlWebSocketSetupError when a rule's class cannot be made */
  async onModuleInit(): Promise<void> {
    for (const options of allOptions(this.options)) this.#rules.set(options, await this.#compile(options.rooms));
  }

  /** Whether clients of this endpoint may ask to join rooms. The first refused request of each endpoint is logged. */
  isOpenTo({ options, path }: ClientSession): boolean {
    if (options.rooms.open) return true;
    if (!this.#toldPaths.has(path)) {
      this.#toldPaths.add(path);
      this.#logger.log(
        `A client of ${path} has asked to join a room and was refused: clients join by themselves where rooms.open is ` +
          'true, or where rooms.authorize decides about it.',
        { path, code: 'FORBIDDEN' },
      );
    }
    return false;
  }

  /**
   * The namespace of the rooms that a client asks for, where its endpoint has `rooms.namespace`.
   *
   * @throws WsError FORBIDDEN for a client without one, TIMEOUT after `timeouts.hook`; what the function throws
   */
  namespaceOf(client: ClientSession): string | Promise<string> {
    let answer: unknown;
    try {
      answer = client.options.rooms.namespace?.(client.client);
    } catch (error) {
      throw refusalOf(error);
    }
    if (!isThenable(answer)) return this.#readNamespace(answer, client);
    const asked = refusable(() => answer).then((value) => this.#readNamespace(value, client));
    return this.#inTime(client, 'rooms.namespace failed.', asked);
  }

  /**
   * Asks the rules about a join.
   *
   * @param isRequest whether the client itself asked to join
   * @returns what the other members see of the client; undefined at once when there is no rule to ask
   * @throws WsError FORBIDDEN; TIMEOUT after `timeouts.hook`; what a rule throws
   */
  ask(client: ClientSession, roomName: string, isRequest: boolean): Promise<MemberProfile | undefined> | undefined {
    const rules = this.#rules.get(client.options);
    const authorize = isRequest ? rules?.authorize : undefined;
    const profile = rules?.profile;
    if (!authorize && !profile) return undefined;
    return this.#inTime(client, 'A rule of rooms failed.', this.#decide(client, roomName, { authorize, profile }));
  }

  /**
   * Lets a member whisper, or throws.
   *
   * @throws WsError FORBIDDEN where `rooms.whisper` does not say yes, or fails; what it throws as an answer
   */
  checkWhisper(session: ClientSession, roomName: string): void {
    const { whisper } = session.options.rooms;
    if (whisper === true) return;
    if (whisper === false) throw notForWhispers();
    let verdict: unknown;
    try {
      verdict = whisper(this.#names.requestOf(session.client, roomName));
    } catch (error) {
      if (!isUnexpected(error)) throw error;
      this.errors.report(WHISPER_FAILED, error, logSubject(session));
      throw notForWhispers(error);
    }
    if (verdict === true) return;
    if (verdict !== false) this.#reportNoBoolean(verdict, session);
    throw notForWhispers();
  }

  async #compile({ authorize, profile }: ResolvedOptions['rooms']): Promise<CompiledRules> {
    const authorizer = isClassWith('authorize', authorize)
      ? await this.rules.sourceOf(authorize as Type<WsRoomAuthorizer>)
      : undefined;
    const profiler = isClassWith('profile', profile)
      ? await this.rules.sourceOf(profile as Type<WsMemberProfiler>)
      : undefined;
    return {
      authorize: authorizer
        ? async (request) => (await authorizer(request.client)).authorize(request)
        : (authorize as WsAuthorizeRoom | undefined),
      profile: profiler
        ? async (entrant) => (await profiler(entrant.client)).profile(entrant)
        : (profile as WsProfileOfMember | undefined),
    };
  }

  async #decide(
    client: ClientSession,
    roomName: string,
    { authorize, profile: profiler }: CompiledRules,
  ): Promise<MemberProfile | undefined> {
    const request = this.#names.requestOf(client.client, roomName);
    const verdict: unknown = authorize ? await refusable(() => authorize(request)) : true;
    if (!isYes(verdict)) {
      this.#reportOdd(verdict, client);
      throw notOpen();
    }
    const userId = client.user?.userId ?? null;
    const profile = profiler && (await profiler({ ...request, userId }));
    if (verdict === true && !profile) return undefined;
    // In the form in which it is sent: a value without a JSON form fails now, and not when the member leaves.
    return JSON.parse(JSON.stringify({ ...(verdict === true ? {} : verdict), ...profile })) as MemberProfile;
  }

  /** @param failed says what is reported where the answer fails after its time */
  #inTime<T>(session: ClientSession, failed: string, answer: Promise<T>): Promise<T> {
    const late = (): WsError => new WsError('TIMEOUT', 'The room did not answer in time.');
    const lost = (error: unknown): void => {
      if (isUnexpected(error)) this.errors.report(failed, error, logSubject(session));
    };
    return this.runtime.within(this.options.timeouts.hook, answer, late, lost);
  }

  #readNamespace(answer: unknown, session: ClientSession): string {
    if (isNamespace(answer)) return answer;
    if (answer !== undefined && answer !== null && answer !== false) {
      const fault = new Error(`It has answered ${kindOf(answer)}, not a text of 1 to 128 characters without U+001F.`);
      this.errors.report('rooms.namespace failed.', fault, logSubject(session));
    }
    throw notOpen();
  }

  /** A promise, above all: each whisper is decided about at once. */
  #reportNoBoolean(verdict: unknown, session: ClientSession): void {
    this.errors.report(
      WHISPER_FAILED,
      new Error(`It has answered ${kindOf(verdict)}, neither true nor false.`),
      logSubject(session),
    );
    if (isThenable(verdict))
      verdict.then(undefined, (error: unknown) => this.errors.report(WHISPER_FAILED, error, logSubject(session)));
  }

  /** Reports a verdict that is neither yes nor no: perhaps the rule has returned the error that it meant to throw. */
  #reportOdd(verdict: unknown, session: ClientSession): void {
    if (verdict === false || verdict === null || verdict === undefined) return;
    const fault = new Error(`It has answered ${kindOf(verdict)}, not true, false or the profile of a member.`);
    this.errors.report('rooms.authorize failed.', fault, logSubject(session));
  }
}

/** Turns an error that means a refusal, such as that of a JWT library for an invalid room token, into FORBIDDEN. */
async function refusable<T>(rule: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await rule();
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  return isUnexpected(error) && thrownRefusal(error) ? notOpen(error) : error;
}

function notOpen(cause?: unknown): WsError {
  return new WsError('FORBIDDEN', 'This room is not open to you.', { cause });
}

function notForWhispers(cause?: unknown): WsError {
  return new WsError('FORBIDDEN', 'You cannot whisper in this room.', { cause });
}

/** Any other truthy value is a mistake of the rule, and refuses. */
function isYes(verdict: unknown): verdict is Exclude<WsRoomVerdict, false> {
  return verdict === true || isRecord(verdict);
}
