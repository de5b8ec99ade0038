import type {
  ClientReport,
  ClientsRequest,
  ClientSummary,
  EndpointReport,
  Page,
  PageRequest,
  RateSample,
  RoomSummary,
  RouteReport,
  TraceEvent,
  TraceSubject,
  UserSummary,
  WorkerReport,
} from '../protocol/inspection.js';

export type * from '../protocol/inspection.js';

/**
 * Where the page and its socket are, relative to the option `path`. `GET <path>` redirects to `<path>/`, which is the page; its
 * files are beside it, so that it names them, and its socket, by relative addresses (`new URL('socket', location.href)`): a
 * proxy may serve it below any other path.
 */
export const CONSOLE_SOCKET = 'socket';

/** What the console can do to clients; only those in the option `allow`. */
export type ConsoleAction = 'disconnect' | 'leave' | 'notice' | 'revoke';

/** Whom an action or a notice means. */
export type ConsoleTarget = TraceSubject;

/** What holds for this page. */
export interface ConsoleAbout {
  /** Of this package. */
  readonly version: string;
  /** The worker that the page is connected to. */
  readonly workerId: string;
  /** Who looks, as the log has it; null where the guard has named nobody. */
  readonly who: string | null;
  /** The actions that the page may offer. */
  readonly allow: readonly ConsoleAction[];
  /** Whether payloads are shown. */
  readonly payloads: boolean;
  readonly limits: {
    /** The longest trace, in seconds. */
    readonly traceSeconds: number;
    /** Events of one trace that each worker tells per second; the others are counted. */
    readonly traceEventsPerSecond: number;
    /** Traces that a page may have at a time. */
    readonly traces: number;
    /** The largest page of a list. */
    readonly page: number;
  };
}

/** The reply to `live.watch`: what is known when a page begins to look. */
export interface ConsoleLive {
  readonly workers: readonly WorkerReport[];
  /** The last five minutes at most, the oldest first; empty when nobody has looked before. */
  readonly history: readonly RateSample[];
}

/** The push `live.sample`, once a second. */
export interface ConsoleSample {
  readonly workers: readonly WorkerReport[];
  /** Missing in the first second: a rate needs two samples. */
  readonly rates?: RateSample | undefined;
}

export interface ConsoleRoutes {
  readonly endpoints: readonly EndpointReport[];
  readonly routes: readonly RouteReport[];
}

/** The push `trace.events`, at most four times a second. */
export interface TraceBatch {
  readonly traceId: string;
  readonly events: readonly TraceEvent[];
  /** How many more there were since the last batch, which were left out. */
  readonly omitted: number;
  /** Workers that tell nothing of this trace: of an older version, or silent. */
  readonly missing: readonly string[];
}

/**
 * The contract of the console's socket, which speaks `pxl.v1` (PROTOCOL.md) to the library's own client.
 *
 * Errors: FORBIDDEN (`details.by` is `allow` or `guard`), NOT_FOUND for a client that has gone, BAD_MESSAGE for wrong data,
 * RATE_LIMITED for too many traces or requests, UNAVAILABLE while the bus is down. The connection closes with 3003 when the
 * guard refuses it, also later: it is asked again every minute.
 */
export interface ConsoleContract {
  readonly routes: {
    readonly console: { readonly about: { reply: ConsoleAbout } };
    readonly live: {
      /** From now on the page gets `live.sample`, until `live.unwatch` (a hidden page need not look) or its end. */
      readonly watch: { reply: ConsoleLive };
      readonly unwatch: { reply: null };
    };
    /** Asked again while it is shown; counts as looking, as `live.watch` does. */
    readonly routes: { readonly list: { reply: ConsoleRoutes } };
    readonly rooms: { readonly list: { data: PageRequest; reply: Page<RoomSummary> } };
    readonly users: { readonly list: { data: PageRequest; reply: Page<UserSummary> } };
    readonly clients: {
      readonly list: { data: ClientsRequest; reply: Page<ClientSummary> };
      readonly get: { data: { readonly clientId: string }; reply: ClientReport };
    };
    readonly trace: {
      /** @param seconds 1 to `limits.traceSeconds`. Default: 60 */
      readonly start: {
        data: { readonly subject: TraceSubject; readonly seconds?: number | undefined };
        reply: { readonly traceId: string; readonly endsAt: number };
      };
      readonly stop: { data: { readonly traceId: string }; reply: null };
    };
    /** Each is answered with null once it was sent to the workers. */
    readonly action: {
      /** Closes the connections of a client or a user with 4506, after which clients do not come back by themselves. */
      readonly disconnect: {
        data: { readonly target: Exclude<ConsoleTarget, { kind: 'room' }>; readonly reason?: string | undefined };
        reply: null;
      };
      /** Takes a client, or all clients of a user, out of a room (its key). */
      readonly leave: {
        data: { readonly target: Exclude<ConsoleTarget, { kind: 'room' }>; readonly room: string };
        reply: null;
      };
      /** Sends `{ type: 'console', action: 'notice', data: { text } }`; text of 1 to 1,000 characters. */
      readonly notice: { data: { readonly target: ConsoleTarget; readonly text: string }; reply: null };
      /** Revokes all tokens of a user that were issued until now. */
      readonly revoke: { data: { readonly userId: string }; reply: null };
    };
  };
  readonly pushes: {
    readonly live: { readonly sample: ConsoleSample };
    readonly trace: {
      readonly events: TraceBatch;
      /** Its time is over, or the page has stopped it. */
      readonly ended: { readonly traceId: string; readonly reason: 'time' | 'stopped' };
    };
  };
}
