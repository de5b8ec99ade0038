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

  constructor(
    private readonly rules: RuleFactory,
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

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
      );
    }
    return false;
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
    const late = (): WsError => new WsError('TIMEOUT', 'The room did not answer in time.');
    const lost = (error: unknown): void => {
      if (isUnexpected(error)) this.errors.report('A rule of rooms failed.', error, client.clientId);
    };
    const decision = this.#decide(client, roomName, { authorize, profile });
    return this.runtime.within(this.options.timeouts.hook, decision, late, lost);
  }

  /**
   * Lets a member whisper, or throws.
   *
   * @throws WsError FORBIDDEN where `rooms.whisper` does not say yes, or fails; what it throws as an answer
   */
  checkWhisper({ client, clientId, options }: ClientSession, roomName: string): void {
    const { whisper } = options.rooms;
    if (whisper === true) return;
    if (whisper === false) throw notForWhispers();
    let verdict: unknown;
    try {
      verdict = whisper({ client, roomName });
    } catch (error) {
      if (!isUnexpected(error)) throw error;
      this.errors.report(WHISPER_FAILED, error, clientId);
      throw notForWhispers(error);
    }
    if (verdict === true) return;
    if (verdict !== false) this.#reportNoBoolean(verdict, clientId);
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
    const verdict: unknown = authorize ? await refusable(() => authorize({ client: client.client, roomName })) : true;
    if (!isYes(verdict)) {
      this.#reportOdd(verdict, client);
      throw notOpen();
    }
    const userId = client.user?.userId ?? null;
    const profile = profiler && (await profiler({ client: client.client, userId, roomName }));
    if (verdict === true && !profile) return undefined;
    // In the form in which it is sent: a value without a JSON form fails now, and not when the member leaves.
    return JSON.parse(JSON.stringify({ ...(verdict === true ? {} : verdict), ...profile })) as MemberProfile;
  }

  /** A promise, above all: each whisper is decided about at once. */
  #reportNoBoolean(verdict: unknown, clientId: string): void {
    this.errors.report(
      WHISPER_FAILED,
      new Error(`It has answered ${kindOf(verdict)}, neither true nor false.`),
      clientId,
    );
    if (isThenable(verdict))
      verdict.then(undefined, (error: unknown) => this.errors.report(WHISPER_FAILED, error, clientId));
  }

  /** Reports a verdict that is neither yes nor no: perhaps the rule has returned the error that it meant to throw. */
  #reportOdd(verdict: unknown, { clientId }: ClientSession): void {
    if (verdict === false || verdict === null || verdict === undefined) return;
    const fault = new Error(`It has answered ${kindOf(verdict)}, not true, false or the profile of a member.`);
    this.errors.report('rooms.authorize failed.', fault, clientId);
  }
}

/** Turns an error that means a refusal, such as that of a JWT library for an invalid room token, into FORBIDDEN. */
async function refusable<T>(rule: () => T | Promise<T>): Promise<T> {
  try {
    return await rule();
  } catch (error) {
    throw isUnexpected(error) && thrownRefusal(error) ? notOpen(error) : error;
  }
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
