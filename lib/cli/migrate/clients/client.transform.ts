import type { MigrationContext, Transform } from '../transform.js';
import { Node, type PropertyAccessExpression, type SourceFile } from '../ts-morph.js';
import { ClientFile } from './client-file.js';
import { convertConstruction, convertManaged } from './construction.js';
import { convertEmit, renameVerb, type SocketCall } from './emits.js';
import { convertAny, convertListener, convertOff } from './listeners.js';
import { convertConnect, convertMember, convertTaken, leaveCall } from './members.js';
import { SOCKET_IO_CLIENT } from './socket-io-names.js';
import { Sockets } from './sockets.js';
import { convertReason } from './states.js';
import { convertType } from './types.js';

const CLIENT = 'nestjs-pxl-websocket/client';

/** What of a socket stands before a verb, and changes how it sends. */
const MODIFIERS = ['volatile', 'compress', 'timeout'];

const VERBS: Readonly<Partial<Record<string, (found: SocketCall, client: ClientFile) => void>>> = {
  emit: convertEmit,
  emitWithAck: convertEmit,
  send: convertEmit,
  on: convertListener,
  once: convertListener,
  addListener: convertListener,
  addEventListener: convertListener,
  off: convertOff,
  removeListener: convertOff,
  removeEventListener: convertOff,
  removeAllListeners: convertOff,
  onAny: convertAny,
  connect: convertConnect,
  open: convertConnect,
  disconnect: (found, client) => renameVerb(found, 'disconnect', client),
  close: (found, client) => renameVerb(found, 'disconnect', client),
};

/** Rewrites what uses socket.io-client, in pages, applications and tests. */
export class ClientTransform implements Transform {
  readonly name = 'clients of Socket.IO';
  #sockets: { readonly files: readonly SourceFile[]; readonly all: Sockets } | undefined;

  apply(file: SourceFile, context: MigrationContext): void {
    if (this.#sockets?.files !== context.files)
      this.#sockets = { files: context.files, all: new Sockets(context.files) };
    const client = new ClientFile(file, context, this.#sockets.all);
    if (!/socket|\bio\(/i.test(file.getFullText())) return;
    // What is inside is done before what is around it, which takes its new text along.
    for (const node of file.getDescendants().reverse()) this.#convert(node, client);
    this.#convertRequires(client);
    client.writeHelpers();
    for (const name of client.sockets.guessedIn(file))
      context.note(`${name} is taken for a socket of Socket.IO by its name alone: look at what became of it`);
    context.imports.dropUnused(SOCKET_IO_CLIENT);
    context.imports.dropUnused('@socket.io/component-emitter');
  }

  #convert(node: Node, client: ClientFile): void {
    const { sockets } = client;
    if (Node.isTypeNode(node)) {
      convertType(node, client);
      return;
    }
    if (Node.isStringLiteral(node)) convertReason(node, client);
    if (Node.isObjectBindingPattern(node)) convertTaken(node, client);
    if (Node.isExportDeclaration(node) && node.getModuleSpecifierValue() === SOCKET_IO_CLIENT)
      client.todo(node, `export WebSocketClient of ${CLIENT} in its place`, 'every-verb-of-the-client');
    if (Node.isNewExpression(node) || Node.isCallExpression(node)) {
      const callee = node.getExpression();
      if (sockets.namesIn(client.file).isIo(callee)) {
        convertConstruction(node, client);
        return;
      }
      if (Node.isNewExpression(node) || !Node.isPropertyAccessExpression(callee)) return;
      if (callee.getName() === 'socket' && sockets.isManager(callee.getExpression())) {
        this.#convertManaged(node, callee.getExpression(), client);
        return;
      }
      // A promise of a socket is no socket.
      if (/^(?:then|catch|finally)$/.test(callee.getName())) return;
      const found = socketCall(node, client);
      if (!found) return;
      const convert = VERBS[found.verb];
      if (convert) convert(found, client);
      else if (!MODIFIERS.includes(found.verb)) leaveCall(node, found.verb, client);
      return;
    }
    if (Node.isPropertyAccessExpression(node) && isRead(node) && sockets.isSocket(node.getExpression()))
      convertMember(node, client);
  }

  #convertManaged(call: Parameters<typeof convertManaged>[0], manager: Node, client: ClientFile): void {
    const [made] = manager.getSymbol()?.getDeclarations() ?? [];
    const value = Node.isVariableDeclaration(made) ? made.getInitializer() : undefined;
    const [first, second] = Node.isNewExpression(value) ? value.getArguments() : [];
    const isOptions = Node.isObjectLiteralExpression(first);
    convertManaged(call, isOptions ? undefined : first, isOptions ? first : second, client);
    if (value)
      client.todo(value, 'each namespace is a client and a connection of its own now: take this away', 'manager');
  }

  #convertRequires(client: ClientFile): void {
    const blocks = new Set<Node | undefined>();
    for (const made of client.sockets.namesIn(client.file).requires) {
      if (Node.isImportEqualsDeclaration(made))
        client.edits.replace(made, `import { WebSocketClient } from '${CLIENT}';`);
      if (!Node.isVariableDeclaration(made)) continue;
      const statement = made.getVariableStatement();
      const block = statement?.getParent();
      if (statement && blocks.has(block)) {
        // One name cannot be declared twice.
        if (statement.getDeclarations().length > 1) client.edits.removeElement(made);
        else client.edits.remove(statement);
        continue;
      }
      blocks.add(block);
      const value = made.getInitializer();
      const load = (value?.getText() ?? '').startsWith('await import')
        ? `await import('${CLIENT}')`
        : `require('${CLIENT}')`;
      client.edits.replace(made, `{ WebSocketClient } = ${load}`);
    }
  }
}

/** A call of a verb, with the socket at its root; undefined for other calls. */
function socketCall(call: SocketCall['call'], { sockets }: ClientFile): SocketCall | undefined {
  const access = call.getExpression();
  if (!Node.isPropertyAccessExpression(access)) return undefined;
  let socket: Node = access.getExpression();
  let timeout: string | undefined;
  let isVolatile = false;
  for (;;) {
    const inner = Node.isCallExpression(socket) ? socket.getExpression() : socket;
    if (!Node.isPropertyAccessExpression(inner) || !MODIFIERS.includes(inner.getName())) break;
    if (inner.getName() === 'volatile') isVolatile = true;
    if (inner.getName() === 'timeout' && Node.isCallExpression(socket)) timeout = socket.getArguments()[0]?.getText();
    socket = inner.getExpression();
  }
  // The events of the manager are events of the connection.
  if (
    Node.isPropertyAccessExpression(socket) &&
    sockets.isManager(socket) &&
    /^(?:on|once|off|removeListener)$/.test(access.getName())
  )
    socket = socket.getExpression();
  if (!sockets.isSocket(socket)) return undefined;
  return { call, access, verb: access.getName(), socket, timeout, isVolatile };
}

/** Whether a member is looked at, and not called, nor a step on the way to a verb. */
function isRead(node: PropertyAccessExpression): boolean {
  const parent = node.getParent();
  if (Node.isCallExpression(parent) && parent.getExpression() === node) return false;
  if (Node.isPropertyAccessExpression(parent) && parent.getExpression() === node) {
    if (node.getName() === 'volatile') return false;
    if (node.getName() === 'io') return !/^(?:on|once|off|removeListener)$/.test(parent.getName());
  }
  return true;
}
