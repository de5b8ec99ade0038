import { isTraceSubject } from '../cluster/calls/inspection.js';
import type { WsTarget } from '../cluster/bus/envelope.js';
import { textsOf } from '../errors/as-error.js';
import { codeOf } from '../errors/code-of.js';
import type { WsLogFields } from '../errors/log-fields.js';
import type { ModuleLogger } from '../errors/module-logger.js';
import { WsError } from '../errors/ws.error.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { fieldsOf } from '../routing/message-fields.js';
import type { ClusterCommands } from '../server/coordination/cluster-commands.js';
import type { Delivery } from '../server/delivery/delivery.js';
import type { ConsoleAccess } from './console-access.js';
import type { ConsoleAction, ConsoleTarget } from './console-contract.js';
import type { ConsoleGuard } from './console-guard.js';
import type { ConsoleVisitor } from './console-socket.js';

/** Characters of the longest notice. */
const LONGEST_NOTICE = 1_000;
/** Bytes of the longest reason of a close frame. */
const LONGEST_REASON = 123;

/** An action whose data was read: whom it means, and what it does. */
interface ReadAction {
  readonly target: ConsoleTarget;
  readonly room?: string | undefined;
  run(): Promise<void>;
}

/** Does what pages ask for, if it is allowed and the guard agrees; each is logged, also those that are refused. */
export class ConsoleActions {
  constructor(
    private readonly allow: readonly ConsoleAction[],
    private readonly guard: ConsoleGuard,
    private readonly commands: ClusterCommands,
    private readonly delivery: Delivery,
    private readonly logger: ModuleLogger,
  ) {}

  /** @throws WsError BAD_MESSAGE for wrong data; FORBIDDEN; UNAVAILABLE when other workers cannot be reached */
  async run(action: ConsoleAction, data: unknown, visitor: ConsoleVisitor): Promise<null> {
    const read = this.#read(action, fieldsOf(data));
    const { target, room } = read;
    const by = await this.#refusedBy({ kind: 'action', action, target, room }, visitor);
    const what = `${describeVisitor(visitor)}: ${action} ${describeTarget(target, room)}`;
    const fields = logFieldsOf(target);
    if (by) {
      this.logger.warn(`Console: denied by ${by === 'allow' ? 'the option allow' : 'the guard'} to ${what}.`, {
        ...fields,
        code: 'FORBIDDEN',
      });
      throw new WsError('FORBIDDEN', `You may not ${action}.`, { details: { by } });
    }
    try {
      await read.run();
    } catch (error) {
      this.logger.warn(`Console: failed for ${what}. ${textsOf(error).message}`, { ...fields, code: codeOf(error) });
      throw error;
    }
    this.logger.log(`Console: done for ${what}.`, fields);
    return null;
  }

  async #refusedBy(
    access: ConsoleAccess & { kind: 'action' },
    visitor: ConsoleVisitor,
  ): Promise<'allow' | 'guard' | null> {
    if (!this.allow.includes(access.action)) return 'allow';
    const refused = await this.guard.ask(access, visitor.request, visitor.response);
    return refused === undefined ? null : 'guard';
  }

  #read(action: ConsoleAction, data: Readonly<Record<string, unknown>>): ReadAction {
    switch (action) {
      case 'disconnect': {
        const target = readTarget(data.target, ['client', 'user']);
        const { code, reason: usual } = CLOSE_CODES.DISCONNECTED;
        const reason = data.reason === undefined ? usual : readText('reason', data.reason, LONGEST_REASON);
        return { target, run: () => this.commands.send(reached(target), { name: 'disconnect', code, reason }) };
      }
      case 'leave': {
        const target = readTarget(data.target, ['client', 'user']);
        const room = readText('room', data.room);
        return { target, room, run: () => this.commands.send(reached(target), { name: 'leave', rooms: [room] }) };
      }
      case 'notice': {
        const target = readTarget(data.target, ['client', 'user', 'room']);
        const text = readText('text', data.text);
        if (text.length > LONGEST_NOTICE) {
          throw new WsError('BAD_MESSAGE', `text has at most ${LONGEST_NOTICE} characters.`);
        }
        const message = { type: 'console', action: 'notice', data: { text } };
        // Volatile: it is no part of a room's history.
        return {
          target,
          run: () => this.delivery.send({ target: reached(target), exclude: [], message, isVolatile: true }),
        };
      }
      case 'revoke': {
        const userId = readText('userId', data.userId);
        return { target: { kind: 'user', userId }, run: () => this.commands.revoke({ userId }) };
      }
    }
  }
}

function readTarget(value: unknown, kinds: readonly ConsoleTarget['kind'][]): ConsoleTarget {
  if (isTraceSubject(value) && kinds.includes(value.kind)) return value;
  throw new WsError('BAD_MESSAGE', `The target is a ${kinds.join(' or a ')}.`);
}

function readText(field: string, value: unknown, most = Infinity): string {
  if (typeof value === 'string' && value !== '' && Buffer.byteLength(value) <= most) return value;
  const limit = Number.isFinite(most) ? ` of at most ${most} bytes` : '';
  throw new WsError('BAD_MESSAGE', `${field} is a text that is not empty${limit}.`);
}

function reached(target: ConsoleTarget): WsTarget {
  switch (target.kind) {
    case 'client':
      return { kind: 'clients', clientIds: [target.clientId] };
    case 'user':
      return { kind: 'users', userIds: [target.userId] };
    case 'room':
      return { kind: 'rooms', roomNames: [target.room] };
  }
}

/** Names as JSON, which forges no lines of the log. */
function describeTarget(target: ConsoleTarget, room: string | undefined): string {
  const name = target.kind === 'client' ? target.clientId : target.kind === 'user' ? target.userId : target.room;
  const whom = `${target.kind} ${shown(name)}`;
  return room === undefined ? whom : `${whom}, room ${shown(room)}`;
}

function logFieldsOf(target: ConsoleTarget): WsLogFields {
  if (target.kind === 'client') return { clientId: target.clientId };
  return target.kind === 'user' ? { userId: target.userId } : {};
}

function describeVisitor({ who, ip }: ConsoleVisitor): string {
  return `${who === null ? 'somebody' : shown(who)} at ${ip}`;
}

/** Characters that JSON keeps, and that some terminals and viewers of logs take for commands or ends of lines. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

function shown(name: string): string {
  const escaped = (control: string): string => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(name.slice(0, 200)).replace(CONTROLS, escaped);
}
