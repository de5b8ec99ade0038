import type { SpanAttributes, SpanStart } from '../../tracing/trace-span.js';
import type { WsTarget } from './envelope.js';

// Names and attributes follow OpenTelemetry's conventions for messaging. They name kinds of recipients: names of rooms and users
// would tell of people, and have no bound.

/** What is done with a message, and the type of that by the conventions. */
const OPERATIONS = {
  send: 'create',
  publish: 'send',
  append: 'send',
  deliver: 'process',
  execute: 'process',
  process: 'process',
} as const;
type Operation = keyof typeof OPERATIONS;

const KINDS: Readonly<Record<Operation, SpanStart['kind']>> = {
  send: 'internal',
  publish: 'producer',
  append: 'producer',
  deliver: 'consumer',
  execute: 'consumer',
  process: 'consumer',
};

interface NamedStart {
  readonly name: string;
  readonly start: SpanStart;
}

/** The span of what is done with a message, a command or an event for a target. */
export function spanOf(operation: Operation, target: WsTarget, parent?: SpanStart['parent']): NamedStart {
  return {
    name: `${operation} ${target.kind}`,
    start: { kind: KINDS[operation], attributes: attributesOf(operation, target), parent },
  };
}

function attributesOf(operation: Operation, target: WsTarget): SpanAttributes {
  return {
    'messaging.system': 'pxl_websocket',
    'messaging.operation.name': operation,
    'messaging.operation.type': OPERATIONS[operation],
    'messaging.destination.template': target.kind,
    'messaging.destination.name': target.kind === 'subscribers' ? target.channel : undefined,
    'pxl.target.count': countOf(target),
  };
}

/** How many it names; undefined where it names none. */
function countOf(target: WsTarget): number | undefined {
  switch (target.kind) {
    case 'clients':
      return target.clientIds.length;
    case 'users':
      return target.userIds.length;
    case 'rooms':
      return target.roomNames.length;
    case 'workers':
      return target.workerIds.length;
    default:
      return undefined;
  }
}
