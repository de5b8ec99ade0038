import { Node, type CallExpression } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';
import type { Kinds } from './kinds.js';
import type { Kind } from './known-types.js';

const SERVER = 'every-verb-of-the-server';
const TOKEN = 'tokens';

/** Properties of a socket that have another name, or another place, here. */
const RENAMED: Readonly<Record<string, (client: string) => string>> = {
  id: (client) => `${client}.clientId`,
  data: (client) => `${client}.metadata`,
  connected: (client) => `${client}.readyState === 1`,
  disconnected: (client) => `${client}.readyState !== 1`,
  recovered: () => 'false',
};
const OF_HANDSHAKE: Readonly<Record<string, (client: string) => string>> = {
  headers: (client) => `${client}.headers`,
  query: (client) => `${client}.request.query`,
  address: (client) => `${client}.ip`,
  url: (client) => `${client}.request.url`,
  issued: (client) => `${client}.connectedAt`,
  time: (client) => `new Date(${client}.connectedAt).toString()`,
};
/** What else a socket of Socket.IO has: everything that is not here is the application's own. */
const OF_SOCKET: ReadonlySet<string> = new Set(
  (
    'handshake rooms nsp client server conn request broadcast volatile local adapter emit emitWithAck send write join leave to in except ' +
    'disconnect on once off use onAny onAnyOutgoing prependAny offAny removeListener removeAllListeners addListener listeners timeout compress ' +
    'eventNames toString fetchSockets'
  ).split(' '),
);

/** `{ id, data, user }` of a socket: other names, and what is the application's own out of metadata. */
export function rewritePattern(node: Node, file: GatewayFile): void {
  if (!Node.isObjectBindingPattern(node)) return;
  const kind = kindOfPattern(node, file.kinds);
  if (kind !== 'socket' && kind !== 'remote') return;
  for (const element of node.getElements()) {
    const property = element.getPropertyNameNode();
    const name = (property ?? element.getNameNode()).getText();
    const other = name === 'id' ? 'clientId' : name === 'data' ? 'metadata' : undefined;
    if (other !== undefined && property) file.edits.replace(property, other);
    else if (other !== undefined) file.edits.insertBefore(element, `${other}: `);
    else if (name === 'handshake') {
      file.context.todo(node, 'there is no handshake: headers, ip and request.query of the client', SERVER);
    } else if (!OF_SOCKET.has(name) && kind === 'socket')
      file.edits.replace(element, `metadata: { ${file.text(element)} }`);
  }
}

function kindOfPattern(pattern: Node, kinds: Kinds): Kind | undefined {
  const owner = pattern.getParent();
  if (Node.isVariableDeclaration(owner)) return kinds.of(owner.getInitializer());
  return Node.isParameterDeclaration(owner) ? kinds.ofDeclared(owner) : undefined;
}

/** Rewrites what is read of a socket: its id, its data, its handshake, and what the application has put there itself. */
export function rewriteProperty(node: Node, file: GatewayFile): void {
  if (Node.isBinaryExpression(node)) {
    rewriteAssignment(node, file);
    return;
  }
  const read = readAccess(node);
  if (!read) return;
  const { base, name } = read;
  const kind = file.kinds.of(base);
  if (kind === 'server') {
    rewriteServerProperty(node, name, file);
    return;
  }
  if (kind === 'remote' && (name === 'id' || name === 'data')) {
    replaceName(node, name === 'id' ? 'clientId' : 'metadata', file);
    return;
  }
  if (kind === 'socket') {
    rewriteSocketProperty(node, base, name, file);
    return;
  }
  const upper = readAccess(base);
  if (upper) rewriteOfHandshake(node, upper, name, file);
}

function rewriteSocketProperty(node: Node, base: Node, name: string, file: GatewayFile): void {
  const isOptional =
    (Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node)) && node.hasQuestionDotToken();
  const client = file.text(base) + (isOptional ? '?' : '');
  if (name === 'handshake') {
    rewriteWholeHandshake(node, client, file);
    return;
  }
  const renamed = Object.hasOwn(RENAMED, name) ? RENAMED[name] : undefined;
  if (renamed) {
    file.edits.replace(node, inParentheses(node, renamed(client)));
    return;
  }
  if (OF_SOCKET.has(name)) return;
  if (Node.isElementAccessExpression(node))
    file.edits.replace(node, `${client}.metadata[${file.text(node.getArgumentExpressionOrThrow())}]`);
  else file.edits.replace(node, `${client}.metadata.${name}`);
}

/** `handshake` as a value: an object like it. */
function rewriteWholeHandshake(node: Node, client: string, file: GatewayFile): void {
  if (readAccess(node.getParent() ?? node)?.base === node) return;
  file.use('readWsToken');
  const request = `${client}.request`;
  const auth = `auth: { ...${request}.query, token: readWsToken(${request}) }`;
  file.edits.replace(
    node,
    `{ headers: ${client}.headers, query: ${request}.query, address: ${client}.ip, url: ${request}.url, ${auth} }`,
  );
  verifyToken(node, file);
}

/** `client.handshake.NAME`, and one more step where that is `auth` or `query`. */
function rewriteOfHandshake(node: Node, upper: Access, name: string, file: GatewayFile): void {
  if (upper.name === 'handshake' && file.kinds.of(upper.base) === 'socket') {
    const client = file.text(upper.base);
    if (name === 'auth') {
      rewriteWholeAuth(node, client, file);
      return;
    }
    const text = Object.hasOwn(OF_HANDSHAKE, name) ? OF_HANDSHAKE[name] : undefined;
    if (text) file.edits.replace(node, text(client));
    else file.context.todo(node, `there is no handshake.${name}`, SERVER);
    return;
  }
  const top = readAccess(upper.base);
  if (top?.name === 'handshake' && file.kinds.of(top.base) === 'socket') {
    const request = `${file.text(top.base)}.request`;
    if (upper.name === 'auth') {
      if (name === 'token') {
        file.use('readWsToken');
        file.edits.replace(node, `readWsToken(${request})${isTakenAsText(node) ? '!' : ''}`);
        verifyToken(node, file);
      } else file.edits.replace(node, `${request}.query.${name}`);
    } else if (upper.name === 'headers' && name === 'authorization') {
      file.context.todo(node, 'a page cannot send this header: readWsToken(client.request) finds its token', TOKEN);
    }
    return;
  }
  if (upper.name === 'conn' && file.kinds.of(upper.base) === 'socket') {
    if (name === 'remoteAddress') file.edits.replace(node, `${file.text(upper.base)}.ip`);
    else file.context.todo(node, `there is no conn.${name}`, SERVER);
    return;
  }
  if (upper.name === 'nsp' && name === 'name' && file.kinds.of(upper.base) === 'socket') {
    file.edits.replace(node, `${file.text(upper.base)}.path`);
  }
}

/** Whether a token goes where a text is asked for. It had the type `any`; with `!` that compiles as before, and runs as before. */
function isTakenAsText(node: Node): boolean {
  if (!/\.[cm]?ts$/.test(node.getSourceFile().getFilePath())) return false;
  const parent = node.getParent();
  if (Node.isVariableDeclaration(parent)) return parent.getTypeNode() === undefined;
  return Node.isCallExpression(parent) && parent.getExpression() !== node;
}

function rewriteWholeAuth(node: Node, client: string, file: GatewayFile): void {
  if (readAccess(node.getParent() ?? node)?.base === node) return;
  file.use('readWsToken');
  file.edits.replace(node, `{ ...${client}.request.query, token: readWsToken(${client}.request) }`);
  verifyToken(node, file);
}

function verifyToken(node: Node, file: GatewayFile): void {
  file.context.todo(
    node,
    '`auth` of PxlWebSocketModule verifies tokens before a connection is accepted; client.user tells whose it is',
    TOKEN,
  );
}

function rewriteServerProperty(node: Node, name: string, file: GatewayFile): void {
  const parent = readAccess(node.getParent() ?? node);
  const next = parent?.base === node ? parent.name : undefined;
  const service = (which: 'ClientManager' | 'RoomManager'): string | undefined => file.service(node, which);
  if (name === 'engine' && next === 'clientsCount') {
    const clients = service('ClientManager');
    if (clients !== undefined && node.getParent()) file.edits.replace(node.getParentOrThrow(), `${clients}.size`);
  } else if (name === 'adapter' && next === 'rooms') {
    const rooms = service('RoomManager');
    if (rooms !== undefined) file.edits.replace(node.getParentOrThrow(), `${rooms}.rooms`);
  } else if (name === 'sockets' && file.kinds.of(node) === 'sockets') {
    const clients = service('ClientManager');
    if (clients === undefined) return;
    if (next === 'size') file.edits.replace(node.getParentOrThrow(), `${clients}.size`);
    else if (next === 'get' || next === 'has')
      return; // with its call
    else {
      file.use('WsClient');
      const pairs = '(one) => (one instanceof WsClient ? [[one.clientId, one] as const] : [])';
      file.edits.replace(node, `new Map(${clients}.getClients().flatMap(${pairs}))`);
    }
  }
}

/** `server.sockets.sockets.get(id)`. */
export function rewriteLookup(call: CallExpression, file: GatewayFile): void {
  const called = call.getExpression();
  const [id] = call.getArguments();
  if (!id || !Node.isPropertyAccessExpression(called)) return;
  const map = readAccess(called.getExpression());
  if (map?.name !== 'sockets' || file.kinds.of(map.base) !== 'server') return;
  const clients = file.service(call, 'ClientManager');
  if (clients === undefined) return;
  const found = `${clients}.getClient({ clientId: ${file.text(id)}, requireWs: true })`;
  if (called.getName() === 'get') file.edits.replace(call, found);
  if (called.getName() === 'has') file.edits.replace(call, `(${found} !== undefined)`);
}

/** A comparison stands by itself in a condition, an argument or a value. */
function inParentheses(node: Node, text: string): string {
  if (!text.includes(' ')) return text;
  const parent = node.getParent();
  const isApart =
    Node.isPrefixUnaryExpression(parent) ||
    Node.isBinaryExpression(parent) ||
    Node.isPropertyAccessExpression(parent) ||
    Node.isAsExpression(parent) ||
    Node.isAwaitExpression(parent);
  return isApart ? `(${text})` : text;
}

/** Whether a node reads or writes what becomes a client's metadata. */
export function isMetadata(node: Node, kinds: Kinds): boolean {
  if (Node.isBindingElement(node)) {
    const name = (node.getPropertyNameNode() ?? node.getNameNode()).getText();
    return name !== 'id' && !OF_SOCKET.has(name) && kindOfPattern(node.getParent(), kinds) === 'socket';
  }
  const read = readAccess(node);
  if (!read || kinds.of(read.base) !== 'socket') return false;
  return read.name === 'data' || !(Object.hasOwn(RENAMED, read.name) || OF_SOCKET.has(read.name));
}

/** `client.data = { … }`: metadata is one object for the life of a connection. */
function rewriteAssignment(node: Node, file: GatewayFile): void {
  if (!Node.isBinaryExpression(node) || node.getOperatorToken().getText() !== '=') return;
  const left = readAccess(node.getLeft());
  if (left?.name !== 'data' || file.kinds.of(left.base) !== 'socket') return;
  file.edits.replace(node, `Object.assign(${file.text(left.base)}.metadata, ${file.text(node.getRight())})`);
}

interface Access {
  readonly base: Node;
  readonly name: string;
}

/** `a.b`, `a?.b` and `a['b']`. */
function readAccess(node: Node): Access | undefined {
  if (Node.isNonNullExpression(node) || Node.isParenthesizedExpression(node)) return readAccess(node.getExpression());
  if (Node.isPropertyAccessExpression(node)) return { base: plain(node.getExpression()), name: node.getName() };
  if (!Node.isElementAccessExpression(node)) return undefined;
  const argument = node.getArgumentExpression();
  return Node.isStringLiteral(argument)
    ? { base: plain(node.getExpression()), name: argument.getLiteralText() }
    : undefined;
}

function plain(node: Node): Node {
  return Node.isNonNullExpression(node) ? plain(node.getExpression()) : node;
}

function replaceName(node: Node, name: string, file: GatewayFile): void {
  if (Node.isPropertyAccessExpression(node)) file.edits.replace(node.getNameNode(), name);
}
