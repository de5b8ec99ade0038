import { Node, type CallExpression } from '../ts-morph.js';
import { BYTES_IN_JSON, hasBytes } from '../callbacks.js';
import { hasPlainArguments, type GatewayFile } from './gateway-file.js';
import { messageText, readArguments } from './messages.js';
import { isListOfTexts, readChain, STEPS, type VerbChain } from './verb-chain.js';
import { awaitJoin } from './handler-methods.js';

type Verb = (chain: VerbChain, file: GatewayFile) => void;

const VERBS: Readonly<Record<string, Verb>> = {
  emit: (chain, file) => emit(chain, chain.call.getArguments(), file),
  send: sendMessage,
  write: sendMessage,
  emitWithAck: ask,
  fetchSockets: fetchClients,
  allSockets: fetchClients,
  socketsJoin: (chain, file) => moveAll(chain, 'joinRooms', file),
  socketsLeave: (chain, file) => moveAll(chain, 'leaveRooms', file),
  disconnectSockets: disconnectAll,
  serverSideEmit: (chain, file) => {
    const service = serviceOf(chain, file);
    const [channel, ...data] = chain.call.getArguments().map((one) => file.text(one));
    if (service === undefined || channel === undefined || !hasPlainArguments(chain.call)) {
      unknown(chain, file);
      return;
    }
    const text = data.length > 1 ? `[${data.join(', ')}]` : (data[0] ?? 'null');
    file.edits.replace(chain.call, `${service}.publish(${channel}, ${text})`);
    file.context.todo(chain.call, 'hear it with @WsSubscriber({ channel })', SERVER);
  },
  join: joinRoom,
  leave: leaveRoom,
  disconnect: (chain, file) => {
    const text = file.text(chain.base);
    if (chain.kind === 'socket') {
      file.edits.replace(chain.call, `${text}${chain.question}.close()`);
      return;
    }
    const service = serviceOf(chain, file);
    if (service === undefined) {
      unknown(chain, file);
      return;
    }
    file.edits.replace(
      chain.call,
      whereThere(chain, `${service}.disconnectClients({ clientIds: [${text}.clientId] })`, file),
    );
  },
  on: listen,
  once: listen,
  use: (chain, file) => {
    const what =
      chain.kind === 'socket'
        ? 'what looks at each message is a guard, a pipe or an interceptor of Nest'
        : 'who may connect is decided by auth.authenticate or connectionGuards of PxlWebSocketModule; until then nobody is let in';
    file.leave(chain.call, what, MIDDLEWARE);
  },
};
const SHARED_ROOMS =
  'a room of one name is one room for all namespaces here: give rooms of several namespaces other names, or use rooms.namespace';
/** What sends nothing, and has a word of its own. */
const SETS_UP: ReadonlySet<string> = new Set(['on', 'once', 'use']);
const SERVER = 'every-verb-of-the-server';
const MIDDLEWARE = 'middleware';

/** Rewrites a call of a verb of Socket.IO's server or sockets. */
export function rewriteVerb(call: CallExpression, file: GatewayFile): void {
  const called = call.getExpression();
  if (!Node.isPropertyAccessExpression(called)) return;
  const verb = called.getName();
  if (STEPS.has(verb) && !Node.isPropertyAccessExpression(call.getParent())) {
    const kind = file.kinds.of(called.getExpression());
    if (kind === 'server' || kind === 'socket') {
      file.context.todo(call, 'rooms stand in the send itself: sendToRooms(rooms, { event, data })', SERVER);
    }
    return;
  }
  if (!Object.hasOwn(VERBS, verb)) return;
  const chain = readChain(call, file);
  if (!chain) return;
  if (chain.namespace !== undefined && !SETS_UP.has(verb) && !isKnown(chain.namespace, file)) {
    file.leave(call, 'no gateway here has this namespace, and without one everybody would be meant', SERVER);
    return;
  }
  if (file.project.paths.size > 1 && (chain.rooms.length > 0 || verb === 'join')) file.context.note(SHARED_ROOMS);
  if (chain.flags.has('local')) {
    file.context.todo(
      call,
      'this reaches the clients of all workers; `local` of PxlWebSocketServer reaches those of this one',
      SERVER,
    );
  }
  VERBS[verb]?.(chain, file);
}

function isKnown(namespace: string | null, { project }: GatewayFile): boolean {
  return namespace !== null && project.pathOfNamespace(namespace) !== undefined;
}

/** The text of the WebSocketService that stands behind a chain. */
function serviceOf({ base, kind, question }: VerbChain, file: GatewayFile): string | undefined {
  if (kind === 'server')
    return isInitParameter(base) ? file.service(base, 'WebSocketService') : file.text(base) + question;
  return file.service(base, 'WebSocketService');
}

/** The server that `afterInit` gets is that of ws here. */
function isInitParameter(base: Node): boolean {
  if (!Node.isIdentifier(base)) return false;
  const [declaration] = base.getSymbol()?.getDeclarations() ?? [];
  const owner = declaration?.getParent();
  return Node.isParameterDeclaration(declaration) && Node.isMethodDeclaration(owner) && owner.getName() === 'afterInit';
}

function emit(chain: VerbChain, given: readonly Node[], file: GatewayFile): void {
  const { call, base, kind } = chain;
  const parts = readArguments(given, file);
  if (!parts) {
    unknown(chain, file);
    return;
  }
  if (hasBytes(given)) file.context.todo(call, BYTES_IN_JSON, DIFFERENCES);
  if (parts.isUnsure)
    file.context.todo(call, 'an event has one `data` here; this is the list of what was spread', DIFFERENCES);
  const isToItself = kind === 'socket' && isPlain(chain);
  if (parts.callback || chain.timeout !== undefined) {
    if (isToItself && parts.callback && chain.timeout === undefined) {
      askWithCallback(chain, given, file);
      return;
    }
    file.leave(call, 'the server asks one client: await client.call({ event, data }, { timeout })', SERVER);
    return;
  }
  if (isToItself) {
    const data = parts.data === undefined ? '' : `, ${parts.data}`;
    file.edits.replace(call, `${file.text(base)}${chain.question}.emit(${parts.event}${data})`);
    return;
  }
  const service = serviceOf(chain, file);
  if (service === undefined) {
    unknown(chain, file);
    return;
  }
  file.edits.replace(call, whereThere(chain, sendText(service, messageText(parts), chain, file), file));
}
const DIFFERENCES = 'what-behaves-differently';

function sendText(service: string, message: string, chain: VerbChain, file: GatewayFile): string {
  const { kind, base, flags } = chain;
  let { rooms, clients } = chain;
  const isBroadcast =
    kind === 'socket' &&
    (flags.has('broadcast') || rooms.length + clients.length > 0 || flags.has('nsp') || flags.has('server'));
  const isSpared = isBroadcast && !flags.has('nsp') && !flags.has('server');
  if (kind === 'remote') clients = [...clients, `${file.text(base)}.clientId`];
  const options = optionsText(
    [...(isSpared ? [`${file.text(base)}.clientId`] : []), ...chain.exceptClients],
    chain.exceptRooms,
    flags.has('volatile'),
  );
  if (rooms.length + clients.length === 0) {
    const path = pathOf(chain, file);
    if (path === undefined) return `${service}.broadcast(${message}${options})`;
    rooms = [`'${path}'`];
  }
  const toClients = `${service}.sendToClients([${clients.join(', ')}], ${message}${options})`;
  const toRooms = `${service}.sendToRooms([${rooms.join(', ')}], ${message}${options})`;
  if (clients.length === 0) return toRooms;
  return rooms.length === 0 ? toClients : `Promise.all([${toRooms}, ${toClients}])`;
}

/** The room that stands for a namespace, where there are several. */
function pathOf({ namespace, base }: VerbChain, file: GatewayFile): string | undefined {
  const { project } = file;
  if (project.paths.size < 2) return undefined;
  if (typeof namespace === 'string') return project.pathOfNamespace(namespace);
  const owner = file.kinds.classOf(Node.isPropertyAccessExpression(base) ? base.getExpression() : base);
  const gateway = project.gateways.find((one) => one === owner) ?? project.gatewayAround(base);
  return gateway && project.pathOf(gateway);
}

function optionsText(clients: readonly string[], rooms: readonly string[], isVolatile: boolean): string {
  const list = `[${clients.join(', ')}]`;
  const exclude =
    rooms.length > 0
      ? `exclude: { ${clients.length > 0 ? `clients: ${list}, ` : ''}rooms: [${rooms.join(', ')}] }`
      : clients.length > 0
        ? `exclude: ${list}`
        : '';
  const parts = [exclude, isVolatile ? 'volatile: true' : ''].filter((part) => part !== '');
  return parts.length > 0 ? `, { ${parts.join(', ')} }` : '';
}

/** `found?.emit('hello')` of a client that has to be there for its id. */
function whereThere({ kind, question, base, call }: VerbChain, text: string, file: GatewayFile): string {
  if (kind !== 'remote' || question === '') return text;
  if (!Node.isIdentifier(base)) file.context.todo(call, 'find the client first, and send where there is one', SERVER);
  const whole = `${file.text(base)} && ${text}`;
  return Node.isExpressionStatement(call.getParent()) ? whole : `(${whole})`;
}

/** Whether a chain means the socket itself: `socket.emit`, `socket.volatile.emit`. */
function isPlain({ rooms, clients, exceptRooms, exceptClients, flags }: VerbChain): boolean {
  const isOthers = flags.has('broadcast') || flags.has('nsp') || flags.has('server');
  return !isOthers && rooms.length + clients.length + exceptRooms.length + exceptClients.length === 0;
}

/** `send(data)` is the event `message`. */
function sendMessage(chain: VerbChain, file: GatewayFile): void {
  const given = chain.call.getArguments();
  if (!hasPlainArguments(chain.call)) {
    unknown(chain, file);
    return;
  }
  const data =
    given.length > 1 ? `[${given.map((one) => file.text(one)).join(', ')}]` : given[0] && file.text(given[0]);
  if (chain.kind === 'socket' && isPlain(chain)) {
    file.edits.replace(
      chain.call,
      `${file.text(chain.base)}${chain.question}.emit('message'${data === undefined ? '' : `, ${data}`})`,
    );
    return;
  }
  const service = serviceOf(chain, file);
  if (service === undefined) {
    unknown(chain, file);
    return;
  }
  file.edits.replace(chain.call, sendText(service, messageText({ event: "'message'", data }), chain, file));
}

/** `await socket.emitWithAck('q', data)`. */
function ask(chain: VerbChain, file: GatewayFile): void {
  const parts = readArguments(chain.call.getArguments(), file);
  if (!parts || chain.kind !== 'socket' || !isPlain(chain)) {
    file.context.todo(chain.call, 'ask each client: await client.call({ event, data }, { timeout })', SERVER);
    return;
  }
  const options = chain.timeout === undefined ? '' : `, { timeout: ${chain.timeout} }`;
  file.edits.replace(chain.call, `${file.text(chain.base)}${chain.question}.call(${messageText(parts)}${options})`);
}

/** `socket.emit('q', data, (answer) => …)`. */
function askWithCallback(chain: VerbChain, given: readonly Node[], file: GatewayFile): void {
  const parts = readArguments(given, file);
  if (!parts?.callback) {
    unknown(chain, file);
    return;
  }
  const called = `${file.text(chain.base)}${chain.question}.call(${messageText(parts)})`;
  file.edits.replace(chain.call, `${called}.then(${file.text(parts.callback)})`);
}

function fetchClients(chain: VerbChain, file: GatewayFile): void {
  const service = serviceOf(chain, file);
  const { rooms, clients, call, exceptClients, exceptRooms } = chain;
  if (
    service === undefined ||
    rooms.length > 1 ||
    clients.length + exceptClients.length + exceptRooms.length > 0 ||
    rooms[0]?.startsWith('...')
  ) {
    file.context.todo(call, 'ask for the clients of one room after the other: fetchClients({ room })', SERVER);
    return;
  }
  const [room = pathOf(chain, file)?.replace(/^.*$/, "'$&'")] = rooms;
  const query = room === undefined ? '' : room === 'room' ? '{ room }' : `{ room: ${room} }`;
  const fetched = `${service}.fetchClients(${query})`;
  const parent = call.getParent();
  const isAwaited = Node.isAwaitExpression(parent);
  const found = chain.verb === 'allSockets' ? 'new Set(clients.map(({ clientId }) => clientId))' : 'clients';
  if (isAwaited && found === 'clients') {
    const around = parent.getParent();
    file.edits.replace(Node.isParenthesizedExpression(around) ? around : parent, `(await ${fetched}).clients`);
  } else file.edits.replace(call, `${fetched}.then(({ clients }) => ${found})`);
}

function moveAll(chain: VerbChain, verb: string, file: GatewayFile): void {
  const service = serviceOf(chain, file);
  const [target] = chain.call.getArguments();
  if (service === undefined || !target || chain.exceptClients.length + chain.exceptRooms.length > 0) {
    unknown(chain, file);
    return;
  }
  const rooms = roomsText(target, file);
  if (chain.rooms.length === 0 && chain.clients.length > 0) {
    file.edits.replace(chain.call, `${service}.${verb}({ clientIds: [${chain.clients.join(', ')}], rooms: ${rooms} })`);
    return;
  }
  const [room] = chain.rooms;
  if (chain.rooms.length > 1 || chain.clients.length > 0) {
    unknown(chain, file);
    return;
  }
  const query = room === undefined ? '' : `{ room: ${room} }`;
  const move = `${service}.${verb}({ clientIds: clients.map(({ clientId }) => clientId), rooms: ${rooms} })`;
  file.edits.replace(chain.call, `${service}.fetchClients(${query}).then(({ clients }) => ${move})`);
}

function disconnectAll(chain: VerbChain, file: GatewayFile): void {
  const service = serviceOf(chain, file);
  const { rooms, clients, call } = chain;
  if (service === undefined || chain.exceptClients.length + chain.exceptRooms.length > 0) {
    unknown(chain, file);
    return;
  }
  const texts = rooms.map((room) => `${service}.disconnectRoom({ room: ${room} })`);
  if (clients.length > 0) texts.push(`${service}.disconnectClients({ clientIds: [${clients.join(', ')}] })`);
  if (texts.length === 0) {
    const all = `${service}.disconnectClients({ clientIds: clients.map(({ clientId }) => clientId) })`;
    texts.push(`${service}.fetchClients().then(({ clients }) => ${all})`);
  }
  file.edits.replace(call, texts.length > 1 ? `Promise.all([${texts.join(', ')}])` : (texts[0] ?? ''));
}

function joinRoom(chain: VerbChain, file: GatewayFile): void {
  move(chain, 'join', file);
}

function leaveRoom(chain: VerbChain, file: GatewayFile): void {
  move(chain, 'leave', file);
}

function move({ call, base, kind, ...chain }: VerbChain, verb: 'join' | 'leave', file: GatewayFile): void {
  const [room] = call.getArguments();
  if (!room || kind === 'server') return;
  const text = file.text(base);
  if (kind === 'remote') {
    const service = serviceOf({ call, base, kind, ...chain }, file);
    if (service === undefined) {
      file.context.todo(call, `${verb} by the client's id: ${verb}Rooms({ clientIds, rooms })`, SERVER);
      return;
    }
    file.edits.replace(
      call,
      `${service}.${verb}Rooms({ clientIds: [${text}.clientId], rooms: ${roomsText(room, file)} })`,
    );
    return;
  }
  const rooms = roomsText(room, file);
  if (Node.isArrayLiteralExpression(room) || rooms === file.text(room)) {
    const each = `${rooms}.map((room) => ${text}.${verb}(room))`;
    file.edits.replace(call, verb === 'join' ? `Promise.all(${each})` : each);
  }
  if (verb === 'join') awaitJoin(call, file);
}

/** A list of rooms: of one room, or the list that is given. */
function roomsText(room: Node, file: GatewayFile): string {
  if (Node.isArrayLiteralExpression(room)) return file.text(room);
  return isListOfTexts(room) ? file.text(room) : `[${file.text(room)}]`;
}

function listen(chain: VerbChain, file: GatewayFile): void {
  const [event, handler] = chain.call.getArguments();
  const name = event?.getText().slice(1, -1);
  if (chain.kind === 'server') {
    file.leave(chain.call, 'what is done with each client stands in handleConnection of a gateway', HANDLERS);
    return;
  }
  const takesNothing =
    (Node.isArrowFunction(handler) || Node.isFunctionExpression(handler)) && handler.getParameters().length === 0;
  if ((name === 'disconnect' || name === 'disconnecting') && takesNothing) {
    file.edits.replace(chain.call, `${file.text(chain.base)}.ws.once('close', ${file.text(handler)})`);
    return;
  }
  const what =
    name === 'disconnect' || name === 'disconnecting'
      ? 'this belongs into handleDisconnect(client, reason, code) of a gateway'
      : `this belongs into a method with @SubscribeMessage(${event?.getText() ?? ''}) of a gateway`;
  file.leave(chain.call, what, HANDLERS);
}
const HANDLERS = 'handlers';

function unknown({ call }: VerbChain, file: GatewayFile): void {
  file.context.todo(call, 'this goes by WebSocketService, which a class of Nest can have injected', SERVER);
}
