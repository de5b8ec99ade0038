import { BYTES_IN_JSON, hasBytes, isCallback } from '../callbacks.js';
import { Node, type CallExpression, type PropertyAccessExpression } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { namesOf } from './event-names.js';

/** A call on a socket, with what stands between the socket and the verb taken apart. */
export interface SocketCall {
  readonly call: CallExpression;
  readonly access: PropertyAccessExpression;
  readonly verb: string;
  /** The socket itself. */
  readonly socket: Node;
  /** The text of what `timeout(…)` was given. */
  readonly timeout: string | undefined;
  readonly isVolatile: boolean;
}

/** `emit`, `emitWithAck` and `send`. */
export function convertEmit(found: SocketCall, client: ClientFile): void {
  const { edits } = client;
  const { call, verb } = found;
  const args = call.getArguments();
  const event = verb === 'send' ? undefined : args[0];
  const data = event ? args.slice(1) : [...args];
  const spread = data.find((one) => Node.isSpreadElement(one));
  const last = data.at(-1);
  const ack = verb !== 'emitWithAck' && !spread && isCallback(last) ? last : undefined;
  if (ack) data.pop();
  if (hasBytes(data)) client.todo(call, BYTES_IN_JSON, 'what-behaves-differently');
  if (verb !== 'send' && !event) {
    client.todo(call, 'this emit names no event', 'every-verb-of-the-client');
    return;
  }
  if (event) edits.replace(event, namesOf(event, client));
  const quoted = event ? '' : "'event', 'message'";
  if (!event)
    edits.insert(call.getArguments()[0]?.getStart() ?? call.getEnd() - 1, quoted + (args.length > 0 ? ', ' : ''));
  if (spread) {
    convertSpread(found, data, spread, client);
    return;
  }
  if (data.length > 1) wrapList(data, client);
  const isRequest = ack !== undefined || verb === 'emitWithAck';
  renameVerb(found, isRequest ? 'request' : 'send', client);
  const options =
    found.timeout === undefined ? '' : `${data.length > 0 ? '' : ', undefined'}, { timeout: ${found.timeout} }`;
  if (ack) convertAck(found, ack, options, client);
  else if (isRequest && options !== '') edits.insert(args.at(-1)?.getEnd() ?? call.getEnd() - 1, options);
  if (found.isVolatile && !isRequest) guardVolatile(found, client);
}

/** Puts several values into a list: an event has one value here, and Nest's handlers got several as a list before, too. */
export function wrapList(nodes: readonly Node[], { edits }: ClientFile): void {
  const [first, last] = [nodes[0], nodes.at(-1)];
  if (!first || !last) return;
  edits.insertBefore(first, '[');
  edits.insertAfter(last, ']');
}

/** Writes another verb, and takes away `.volatile`, `.compress(…)` and `.timeout(…)`. Verbs in a chain become statements. */
export function renameVerb({ call, socket, access }: SocketCall, verb: string, client: ClientFile): void {
  const { edits } = client;
  const dot = access.getText().slice(socket.getText().length).includes('?.') ? '?.' : '.';
  if (!Node.isCallExpression(socket) || !Node.isPropertyAccessExpression(socket.getExpression())) {
    edits.replaceRange(socket.getEnd(), access.getEnd(), dot + verb);
    return;
  }
  const root = rootOf(socket);
  const statement = call.getFirstAncestor(
    (one) => !Node.isCallExpression(one) && !Node.isPropertyAccessExpression(one),
  );
  if (!Node.isExpressionStatement(statement) || Node.isCallExpression(root)) {
    client.todo(
      call,
      'the verbs of a client return no client: make this a statement of its own',
      'every-verb-of-the-client',
    );
    edits.replaceRange(socket.getEnd(), access.getEnd(), dot + verb);
    return;
  }
  edits.replaceRange(socket.getEnd(), access.getEnd(), `;\n${client.indentOf(statement)}${root.getText()}.${verb}`);
}

/** The socket at the beginning of a chain of verbs. */
function rootOf(node: Node): Node {
  const access = Node.isCallExpression(node) ? node.getExpression() : undefined;
  return Node.isPropertyAccessExpression(access) ? rootOf(access.getExpression()) : node;
}

function convertAck({ timeout, call }: SocketCall, ack: Node, options: string, client: ClientFile): void {
  const { edits } = client;
  const before = call.getArguments().at(-2);
  const from = before?.getEnd() ?? ack.getStart();
  edits.replaceRange(from, ack.getStart(), `${options}).then(`);
  const failed = rejectOf(call) ?? 'console.error';
  if (timeout === undefined) {
    edits.insertAfter(ack, `, ${failed}`);
    return;
  }
  // Its first parameter is the error, as in Node's callbacks.
  const any = client.isTyped ? ': any' : '';
  edits.insertBefore(ack, `(response)${any} => [null, response], (error)${any} => [error]).then(`);
  if (Node.isArrowFunction(ack) || Node.isFunctionExpression(ack)) {
    const parameters = ack.getParameters();
    if (parameters.length === 0) return;
    wrapParameters(parameters, ack, client);
  } else {
    edits.insertBefore(ack, '(outcome) => ');
    edits.insertAfter(ack, '(...outcome)');
  }
}

/** `(a, b) =>` becomes `([a, b]) =>`, with the types of both as a tuple. */
export function wrapParameters(
  parameters: readonly (Node & {
    getNameNode(): Node;
    getTypeNode(): Node | undefined;
    isOptional(): boolean;
    getInitializer(): Node | undefined;
  })[],
  owner: Node,
  client: ClientFile,
): void {
  const { edits } = client;
  const [first, last] = [parameters[0], parameters.at(-1)];
  if (!first || !last) return;
  const names = parameters.map((one) => {
    const value = one.getInitializer();
    return one.getNameNode().getText() + (value ? ` = ${edits.textOf(value)}` : '');
  });
  const isTyped = parameters.some((one) => one.getTypeNode());
  const types = parameters.map((one) => (one.getTypeNode()?.getText() ?? 'any') + (one.isOptional() ? '?' : ''));
  const needsBrackets =
    Node.isArrowFunction(owner) &&
    !owner
      .getText()
      .replace(/^async\s*/, '')
      .startsWith('(');
  const text = `[${names.join(', ')}]${isTyped ? `: [${types.join(', ')}]` : ''}`;
  edits.replaceRange(first.getStart(), last.getEnd(), needsBrackets ? `(${text})` : text);
}

/** The second parameter of the promise around a call: what to do with a failure. */
function rejectOf(call: Node): string | undefined {
  const maker = call.getFirstAncestor(
    (one) => Node.isArrowFunction(one) || Node.isFunctionExpression(one) || Node.isFunctionDeclaration(one),
  );
  const parent = maker?.getParent();
  if (!Node.isNewExpression(parent) || parent.getExpression().getText() !== 'Promise') return undefined;
  if (!Node.isArrowFunction(maker) && !Node.isFunctionExpression(maker)) return undefined;
  return maker.getParameters()[1]?.getName();
}

/** `emit(event, ...args)` of a wrapper: one value stays one, several become a list. */
function convertSpread(found: SocketCall, data: readonly Node[], spread: Node, client: ClientFile): void {
  const list = Node.isSpreadElement(spread) ? client.edits.textOf(spread.getExpression()) : '';
  renameVerb(found, found.verb === 'emitWithAck' ? 'request' : 'send', client);
  if (data.length === 1 && /^[\w.]+$/.test(list))
    client.edits.replace(spread, `${list}.length > 1 ? ${list} : ${list}[0]`);
  else wrapList(data, client);
  client.todo(
    found.call,
    'several values travel as one list, and an acknowledgement is the promise of request()',
    'several-values',
  );
}

/** What cannot leave now is not sent later. */
function guardVolatile({ call, socket }: SocketCall, client: ClientFile): void {
  const statement = call.getParent();
  if (Node.isExpressionStatement(statement))
    client.edits.insertBefore(statement, `if (${rootOf(socket).getText()}.isClientConnected()) `);
  else client.todo(call, 'send this only where isClientConnected(): there is no volatile', 'volatile');
}
