import type { BoundGuard } from '../../auth/connection-guards.js';
import type { ConnectionPreparation } from '../../auth/connection-preparation.js';
import type { SessionEndpoint } from '../../clients/session/session-endpoint.interface.js';
import type { ErrorReporter } from '../../errors/error-reporter.js';
import type { PushLimit } from '../../limits/push-limit.js';
import { PathPattern } from '../../options/checks/path-pattern.js';
import { CODECS } from '../../protocol/codecs.js';
import { termsText } from '../../protocol/welcome-terms.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import type { Memberships } from '../../rooms/memberships.js';
import type { MessageDispatcher } from '../../routing/message.dispatcher.js';
import type { MessageIntake } from '../../routing/message.intake.js';
import { Router } from '../../routing/router.js';
import type { Runtime } from '../../runtime/runtime.js';
import { LONGEST_CLOSING } from '../outbox/closing.js';
import { EndpointServer } from './endpoint-server.js';
import type { GatewayHooks } from './gateway-hooks.js';
import { AcceptedSocket } from '../connection/accepted-socket.js';
import { ownNamesOf } from '../upgrade/own-names.js';

/** Missing in @types/ws. The closing handshake is ended by `limitClosing`, not by ws. */
const UNTYPED = { closeTimeout: LONGEST_CLOSING };

/** The services that all endpoints of a module share. */
export interface EndpointServices {
  readonly workerId: string;
  readonly memberships: Memberships;
  readonly intake: MessageIntake;
  readonly dispatcher: MessageDispatcher;
  readonly pushLimit: PushLimit;
  readonly errors: ErrorReporter;
  readonly runtime: Runtime;
}

/** One path of one server: its ws server, its routes, the gateways whose hooks run there. */
export class Endpoint implements SessionEndpoint {
  /** The ws server that `@WebSocketServer()` injects. Upgrades reach it through the module only. */
  readonly webSocketServer: EndpointServer;
  readonly router: Router;
  /** Null for a path without parameters. */
  readonly pattern: PathPattern | null;
  /** The names in the query of its requests that belong to the library. */
  readonly ownNames: ReadonlySet<string>;
  readonly hooks: GatewayHooks[] = [];
  /** The connection guards of those gateways. */
  readonly guards: BoundGuard[] = [];
  /** Those of the gateways whose hook has parameters that pass pipes. */
  readonly preparations: ConnectionPreparation[] = [];
  readonly workerId: string;
  readonly intake: MessageIntake;
  readonly dispatcher: MessageDispatcher;
  readonly memberships: Memberships;
  readonly pushLimit: PushLimit;
  readonly errors: ErrorReporter;
  readonly runtime: Runtime;
  #terms: { readonly text: string; readonly ownJoin: boolean } | undefined;

  /** @param port 0 for the application's own HTTP server */
  constructor(
    readonly port: number,
    readonly path: string,
    readonly options: ResolvedOptions,
    { workerId, intake, dispatcher, memberships, pushLimit, errors, runtime }: EndpointServices,
  ) {
    this.workerId = workerId;
    this.intake = intake;
    this.dispatcher = dispatcher;
    this.memberships = memberships;
    this.pushLimit = pushLimit;
    this.errors = errors;
    this.runtime = runtime;
    this.router = new Router(path, options.protocol);
    this.pattern = PathPattern.of(path);
    this.ownNames = ownNamesOf(options);
    this.webSocketServer = new EndpointServer({
      noServer: true,
      WebSocket: AcceptedSocket,
      maxPayload: options.limits.maxPayload,
      ...(options.limits.fragments === false ? {} : { maxFragments: options.limits.fragments }),
      perMessageDeflate: options.compression,
      ...UNTYPED,
      // ws' own choice would echo the first name offered, which may be a token.
      handleProtocols: (offered) => [...offered].find((name) => Object.hasOwn(CODECS, name)) ?? false,
    });
  }

  /** Cached. It changes once if an adopted client is welcomed before the routes, and with them a `join`, are found. */
  get welcomeTerms(): string {
    const { ownJoin } = this.router;
    if (this.#terms?.ownJoin !== ownJoin) this.#terms = { text: termsOf(this.options, ownJoin), ownJoin };
    return this.#terms.text;
  }
}

function termsOf({ heartbeat, limits, rooms: { named } }: ResolvedOptions, ownJoin: boolean): string {
  const { maxPayload, messagesPerSecond, burst, roomsPerClient } = limits;
  const rate = messagesPerSecond === false ? { messagesPerSecond: null, burst: null } : { messagesPerSecond, burst };
  return termsText({
    heartbeat,
    limits: { maxPayload, ...rate, rooms: roomsPerClient === false ? null : roomsPerClient },
    rooms: named || ownJoin ? { named: named || undefined, ownJoin: ownJoin || undefined } : undefined,
  });
}
