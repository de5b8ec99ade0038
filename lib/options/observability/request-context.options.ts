import { isGroup, OptionChecks } from '../checks/option-checks.js';

export interface WsRequestContextOptions {
  /**
   * The header of the upgrade whose value is the id of the connection, such as `x-request-id`. Name it where a proxy writes it:
   * a client can write any. A value with other characters than those of ids, or of more than 128, is not taken. Default: none,
   * the client's id.
   */
  header?: string | undefined;
}

export interface ResolvedRequestContext {
  /** In small letters. */
  readonly header: string | undefined;
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Null: there are no contexts. */
export function resolveRequestContext(options: OptionChecks): ResolvedRequestContext | null {
  const given = options.raw('requestContext') ?? false;
  if (given === false) return null;
  if (given === true) return Object.freeze({ header: undefined });
  if (!isGroup(given)) return options.refuse('requestContext', 'true, false or an object');
  return options.inGroup('requestContext', (group) => {
    const header = group.raw('header');
    if (header === undefined) return { header };
    if (typeof header !== 'string' || !TOKEN.test(header)) return group.refuse('header', 'the name of a header');
    return { header: header.toLowerCase() };
  });
}
