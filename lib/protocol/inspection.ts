/** How many messages, connections and errors there were per second. */
export interface RateReport {
  /** Messages of clients. */
  readonly received: number;
  /** Messages that were written to clients: one for each client that gets it. */
  readonly sent: number;
  readonly connects: number;
  readonly disconnects: number;
  /** Errors that clients were answered with. */
  readonly errors: number;
}

/** The rates of the whole cluster over one second. */
export interface RateSample extends RateReport {
  /** In ms since 1970. */
  readonly at: number;
  /** Connections at that time. */
  readonly connections: number;
  /** Connections that have ended per second, by close code. Codes without any are left out. */
  readonly closesByCode: Readonly<Record<string, number>>;
  /** Errors per second, by code. Codes without any are left out. */
  readonly errorsByCode: Readonly<Record<string, number>>;
}

/** What a worker that answers tells of itself. */
export interface KnownWorker {
  readonly kind: 'known';
  readonly workerId: string;
  readonly host: string;
  readonly pid: number;
  /** Of this package. */
  readonly version: string;
  /** The engine and its version, as `node 22.11.0`. */
  readonly engine: string;
  /** When the process began, in ms since 1970. */
  readonly startedAt: number;
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  /** `draining`: it takes no new connections, and closes those that it has. */
  readonly state: 'starting' | 'serving' | 'draining';
  /** Whether it should get new connections. */
  readonly ready: boolean;
  /** Whether it reaches the other workers; null where there can be none. */
  readonly bus: { readonly ready: boolean; readonly probeMs: number | null; readonly lastError: string | null } | null;
  /** Percent of one core, over the last second; null in the first one. */
  readonly cpu: number | null;
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly heapUsed: number; readonly heapTotal: number };
  /** By how much the event loop was late, in ms, since the last sample. */
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly connections: number;
  /** Rooms that have members on this worker. */
  readonly rooms: number;
  /** Users with connections to this worker. */
  readonly users: number;
  /** Clients that are over their byte budget. */
  readonly slowConsumers: number;
  readonly rates: RateReport;
}

/**
 * A worker that tells nothing. `older`: its version knows no console. `silent`: it lives, and has not answered in time.
 */
export interface UnknownWorker {
  readonly kind: 'older' | 'silent';
  readonly workerId: string;
}

export type WorkerReport = KnownWorker | UnknownWorker;

/** One path of one port, on all workers. */
export interface EndpointReport {
  readonly path: string;
  /** 0: the port of the application. */
  readonly port: number;
  readonly protocol: 'pxl' | 'event';
  readonly connections: number;
  /** The names of its routes: rows of `routes`. */
  readonly routes: readonly string[];
}

/**
 * A route's calls on all workers, since they began to measure: with a metrics registry from their start, otherwise from the
 * time somebody looked.
 */
export interface RouteReport {
  /** `type:action`; `*` for a fallback. */
  readonly name: string;
  /** The methods that handle it, as `ChatGateway.send`; one for each class that has it at some endpoint. */
  readonly sources: readonly string[];
  /** Whether the library handles it. */
  readonly isOwn: boolean;
  readonly calls: number;
  readonly callsPerSecond: number;
  /** Calls that were answered with an error. */
  readonly errors: number;
  /** Milliseconds, estimated from buckets; null without calls. `Infinity` does not occur: above 10 s it is 10,000. */
  readonly p50: number | null;
  readonly p99: number | null;
}

/** What pages of a list are asked with. */
export interface PageRequest {
  /** Only what contains this text, whatever its case. Default: everything. */
  readonly search?: string | undefined;
  /** `prefix`: only what begins with `search`. Default: `contains`. */
  readonly match?: 'contains' | 'prefix' | undefined;
  /** `next` of the page before. Default: the first page. */
  readonly cursor?: string | undefined;
  /** 1 to 100. Default: 50. */
  readonly limit?: number | undefined;
}

/** One page of a list over all workers, in the order of names. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next page; null: this was the last one. */
  readonly next: string | null;
  /** Workers that have not answered: what they alone hold is missing. */
  readonly missing: readonly string[];
}

export interface RoomName {
  /** What the server calls the room, and what every request about it names. */
  readonly key: string;
  /** What clients call it. */
  readonly name: string;
  /** Undefined where it is in none. */
  readonly namespace?: string | undefined;
}

export interface RoomSummary extends RoomName {
  /** Clients in it, on all workers. */
  readonly members: number;
  /** How many of them each worker has. */
  readonly workers: Readonly<Record<string, number>>;
}

export interface UserSummary {
  readonly userId: string;
  readonly userType?: string | undefined;
  /** On all workers. */
  readonly connections: number;
  /** How many of them each worker has. */
  readonly workers: Readonly<Record<string, number>>;
}

export interface ClientSummary {
  readonly clientId: string;
  readonly workerId: string;
  readonly path: string;
  readonly ip: string;
  /** Null for an anonymous client. */
  readonly userId: string | null;
  readonly userType?: string | undefined;
  /** In ms since 1970. */
  readonly connectedAt: number;
  readonly lastActivity: number;
  /** How many rooms it is in. */
  readonly rooms: number;
  /** Whether it is over its byte budget. */
  readonly isSlow: boolean;
}

/** Which clients are listed; without a field, all of them. Searched by id, user and address. */
export interface ClientsRequest extends PageRequest {
  /** The key of a room. */
  readonly room?: string | undefined;
  readonly userId?: string | undefined;
}

/** All that is told of one client. */
export interface ClientReport extends ClientSummary {
  readonly state: 'unauthorized' | 'authenticating' | 'authenticated' | 'disconnected';
  /** What the upgrade request said. There is no token in it, and no cookie. */
  readonly upgrade: {
    /** Undefined without an `Origin` header. */
    readonly origin?: string | undefined;
    readonly userAgent?: string | undefined;
    /** Parameters of the endpoint's path. */
    readonly params: Readonly<Record<string, string>>;
  };
  readonly protocol: 'pxl.v1' | 'event.v1';
  readonly encrypted: boolean;
  readonly compressed: boolean;
  /** Null for a client without a token. */
  readonly token: { readonly issuedAt?: number | undefined; readonly expiresAt?: number | undefined } | null;
  /** The first hundred; `rooms` counts all. */
  readonly roomList: readonly {
    readonly key: string;
    readonly name: string;
    readonly namespace?: string | undefined;
  }[];
  /** Bytes. */
  readonly outbox: { readonly waiting: number; readonly sent: number; readonly isOverBudget: boolean };
  /** What its token and its metadata hold: only with `payloads: true`. */
  readonly user?: unknown;
  readonly metadata?: unknown;
}

/** Whom a trace follows. */
export type TraceSubject =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'client'; readonly clientId: string }
  /** `room` is a key. */
  | { readonly kind: 'room'; readonly room: string };

/** Something that happened to the subject of a trace. */
export interface TraceEvent {
  /** In ms since 1970, by the clock of its worker. */
  readonly at: number;
  readonly workerId: string;
  /**
   * `received`: a message of the client. `sent`: a message to it, answers included. `pushed`: a message to the traced room,
   * once for each worker. `answered` and `failed`: the end of a handler.
   */
  readonly kind:
    'connected' | 'disconnected' | 'joined' | 'left' | 'received' | 'answered' | 'failed' | 'sent' | 'pushed';
  readonly clientId?: string | undefined;
  readonly userId?: string | undefined;
  /** The message: `type:action`. */
  readonly name?: string | undefined;
  /** The key of the room that was joined, left or sent to. */
  readonly room?: string | undefined;
  /** The error code of `failed`, the close code of `disconnected`. */
  readonly code?: string | undefined;
  /** How long the handler took. */
  readonly ms?: number | undefined;
  /** Of `pushed`: how many clients of the worker got it. */
  readonly recipients?: number | undefined;
  /** Bytes of the message's text. */
  readonly size?: number | undefined;
  /** The message's text, cut after 2,000 characters: only with `payloads: true`. */
  readonly payload?: string | undefined;
}
