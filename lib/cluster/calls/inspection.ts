import type { TracedEvents, TraceRequest } from '../../clients/traces/live-trace.js';
import type {
  ClientReport,
  ClientSummary,
  KnownWorker,
  RoomSummary,
  TraceSubject,
  UserSummary,
} from '../../protocol/inspection.js';
import type { HistogramCounts } from '../../runtime/metrics/histogram.js';
import { isObject, isText } from '../bus/json-text.js';

/** The part of a list that a worker is asked for. */
export interface PageQuery {
  /** In lower case; empty: everything. */
  readonly search: string;
  /** Whether what is found begins with it. */
  readonly isPrefix: boolean;
  /** Only what comes behind this name; null: from the first one. */
  readonly after: string | null;
  readonly limit: number;
}

/** What a console asks a worker. */
export type Inspection =
  /** How it is. `withRoutes`: also of its endpoints and routes. */
  | { readonly what: 'sample'; readonly withRoutes: boolean }
  | { readonly what: 'rooms' | 'users'; readonly page: PageQuery }
  | {
      readonly what: 'clients';
      readonly page: PageQuery;
      readonly room?: string | undefined;
      readonly userId?: string | undefined;
    }
  /** `payloads`: also what its token and its metadata hold. */
  | { readonly what: 'client'; readonly clientId: string; readonly payloads: boolean }
  /** What has happened since the last question. `isOver`: it is the last one. */
  | ({ readonly what: 'trace'; readonly isOver: boolean } & TraceRequest);

/** One worker's part of a room, or of a user. */
export type OwnRoom = Omit<RoomSummary, 'workers'>;
export type OwnUser = Omit<UserSummary, 'workers'>;

export interface InspectionAnswers {
  sample: WorkerSample;
  rooms: readonly OwnRoom[];
  users: readonly OwnUser[];
  clients: readonly ClientSummary[];
  /** Null: it is not there. */
  client: ClientReport | null;
  trace: TracedEvents;
}

/** What a worker has counted, from which the asking one computes what happened meanwhile. */
export interface WorkerSample {
  readonly worker: Omit<KnownWorker, 'kind' | 'cpu' | 'rates'>;
  /** Milliseconds of its own clock, which only ever grows. */
  readonly at: number;
  /** Milliseconds of CPU time. */
  readonly cpuMs: number;
  readonly received: number;
  readonly sent: number;
  readonly connects: number;
  readonly disconnects: number;
  readonly errorsByCode: Readonly<Record<string, number>>;
  readonly closesByCode: Readonly<Record<string, number>>;
  readonly endpoints?: readonly OwnEndpoint[] | undefined;
  readonly routes?: readonly OwnRouteTimes[] | undefined;
}

export interface OwnEndpoint {
  readonly path: string;
  readonly port: number;
  readonly protocol: 'pxl' | 'event';
  readonly connections: number;
  readonly routes: readonly { readonly key: string; readonly source: string }[];
}

export interface OwnRouteTimes {
  readonly route: string;
  readonly times: HistogramCounts;
  readonly failures: number;
}

/** One worker's answer. */
export interface InspectionAnswer<What extends Inspection['what'] = Inspection['what']> {
  readonly workerId: string;
  readonly what: What;
  readonly value: InspectionAnswers[What];
}

/** Whether this is an inspection that this version knows. */
export function isInspection(data: unknown): data is Inspection {
  if (!isObject(data)) return false;
  const { what, page, room, userId, clientId, traceId, subject, payloads } = data;
  switch (what) {
    case 'sample':
      return true;
    case 'rooms':
    case 'users':
      return isPageQuery(page);
    case 'clients':
      return isPageQuery(page) && isOptionalText(room) && isOptionalText(userId);
    case 'client':
      return isText(clientId) && typeof payloads === 'boolean';
    case 'trace':
      return isText(traceId) && isTraceSubject(subject) && typeof payloads === 'boolean';
    default:
      return false;
  }
}

/** Whether this may be an answer to one: workers of this application have made it. */
export function isInspectionAnswer(value: unknown): value is InspectionAnswer {
  return isObject(value) && isText(value.workerId) && isText(value.what) && 'value' in value;
}

export function isTraceSubject(value: unknown): value is TraceSubject {
  if (!isObject(value)) return false;
  const { kind, userId, clientId, room } = value;
  return (
    (kind === 'user' && isText(userId)) || (kind === 'client' && isText(clientId)) || (kind === 'room' && isText(room))
  );
}

function isPageQuery(value: unknown): value is PageQuery {
  if (!isObject(value)) return false;
  const { search, after, limit } = value;
  return isText(search) && (after === null || isText(after)) && typeof limit === 'number';
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || isText(value);
}
