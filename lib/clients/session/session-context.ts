import type { ResolvedRequestContext } from '../../options/observability/request-context.options.js';
import { nextRequestId, type WsRequestContext } from '../../runtime/request-context.js';
import type { WsUser } from '../../ws-client/client-entry.js';
import type { WsRequest } from '../../ws-client/ws-request.js';

/** What can stand in a line of the log as it came: a client may have written it. */
const FIT = /^[\w.:+/=@-]{1,128}$/;

/** Whose connection it is: a session, or a candidate that is not let in yet. */
interface Subject {
  readonly clientId: string;
  readonly path: string;
  readonly request: Pick<WsRequest, 'headers'>;
  readonly user: Pick<WsUser, 'userId'> | null;
}

/** The context of what belongs to a connection and to none of its messages; undefined where there are no contexts. */
export function contextOfConnection(
  subject: Subject,
  options: ResolvedRequestContext | null,
): WsRequestContext | undefined {
  if (!options) return undefined;
  const { clientId, user, path } = subject;
  return { requestId: connectionId(subject, options), clientId, userId: user?.userId, path };
}

/** The context of one message. */
export function contextOfMessage(
  session: Subject,
  route: { readonly name: string },
  options: ResolvedRequestContext,
): WsRequestContext {
  const { clientId, user, path } = session;
  const requestId = nextRequestId(connectionId(session, options));
  return { requestId, clientId, userId: user?.userId, route: route.name, path };
}

/** The fields of log lines that are about a client. */
export function logSubject({ clientId, user, path }: Omit<Subject, 'request'>): {
  readonly clientId: string;
  readonly userId: string | undefined;
  readonly path: string;
} {
  return { clientId, userId: user?.userId, path };
}

function connectionId({ clientId, request }: Subject, { header }: ResolvedRequestContext): string {
  const given = header === undefined ? undefined : request.headers[header];
  return typeof given === 'string' && FIT.test(given) ? given : clientId;
}
