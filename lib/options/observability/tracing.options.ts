import { isGroup, type OptionChecks } from '../checks/option-checks.js';

export interface WsTracingOptions {
  /** True: spans of a client name its user, as `enduser.id`. Default: false. */
  userIds?: boolean | undefined;
}

export interface ResolvedTracing {
  readonly enabled: boolean;
  readonly userIds: boolean;
}

/** Of a group that holds it. */
export function resolveTracing(options: OptionChecks): ResolvedTracing {
  const given = options.raw('tracing');
  if (typeof given === 'boolean') return { enabled: given, userIds: false };
  if (given !== undefined && !isGroup(given)) options.refuse('tracing', 'true, false or an object');
  return options.inGroup('tracing', (tracing) => ({ enabled: true, userIds: tracing.boolean('userIds', false) }));
}
