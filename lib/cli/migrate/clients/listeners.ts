import { Node, SyntaxKind } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { renameVerb, wrapParameters, type SocketCall } from './emits.js';
import { namesOf, valueOf } from './event-names.js';
import { convertFailure, isFailure } from './failures.js';
import { convertStateListener, convertStateOff, isStateEvent } from './states.js';
import { declarationsOf } from './sockets.js';

/** `on`, `once` and their older names. */
export function convertListener(found: SocketCall, client: ClientFile): void {
  const { edits } = client;
  const { call, verb } = found;
  const [event, handler] = call.getArguments();
  if (!event || !handler) {
    client.todo(call, 'this handler has no name or no function', 'every-verb-of-the-client');
    return;
  }
  const isOnce = verb === 'once';
  const value = valueOf(event);
  if (isStateEvent(value)) {
    convertStateListener(found, value, isOnce, client);
    return;
  }
  if (isFailure(value)) {
    convertFailure(call, value, client);
    return;
  }
  edits.replace(event, namesOf(event, client, { isHeard: true }));
  const isInline = Node.isArrowFunction(handler) || Node.isFunctionExpression(handler);
  const ack = isInline ? answeringParameter(handler) : undefined;
  renameVerb(found, ack ? 'handle' : isOnce ? 'once' : 'on', client);
  if (isInline) convertHandler(handler, ack, client);
  else convertReference(handler, found, client);
}

/** `off`, `removeListener` and `removeAllListeners`. */
export function convertOff(found: SocketCall, client: ClientFile): void {
  const { call } = found;
  const [event] = call.getArguments();
  const value = valueOf(event);
  if (isStateEvent(value)) {
    convertStateOff(found, value, client);
    return;
  }
  if (isFailure(value)) {
    client.todo(call, 'what events.onError hears is chosen where the client is made', 'errors');
    client.edits.replace(call, 'undefined');
    return;
  }
  if (event) client.edits.replace(event, namesOf(event, client, { isHeard: true }));
  renameVerb(found, 'off', client);
}

/** `onAny((event, ...args) => …)`. */
export function convertAny(found: SocketCall, client: ClientFile): void {
  const { edits } = client;
  const [handler] = found.call.getArguments();
  renameVerb(found, 'onAny', client);
  if (!Node.isArrowFunction(handler) && !Node.isFunctionExpression(handler)) {
    client.todo(found.call, 'the handler gets one message: { type, action, data }', 'every-verb-of-the-client');
    return;
  }
  const [event, data] = handler.getParameters();
  const open = handler.getFirstChildByKind(SyntaxKind.OpenParenToken);
  const close = handler.getFirstChildByKind(SyntaxKind.CloseParenToken);
  const text = `{ type, action${data ? ', data' : ''} }`;
  if (open && close) edits.replaceRange(open.getEnd(), close.getStart(), text);
  else if (event) edits.replace(event, `(${text})`);
  const lines = event ? [`const ${event.getName()} = type === 'event' ? action : \`\${type}:\${action}\`;`] : [];
  if (data?.isRestParameter()) lines.push(`const ${data.getName()} = [data];`);
  else if (data && data.getName() !== 'data') lines.push(`const ${data.getName()} = data;`);
  putFirst(handler, lines, client);
}

function convertHandler(
  handler: Node & { getParameters(): HandlerParameter[]; getBody(): Node },
  ack: HandlerParameter | undefined,
  client: ClientFile,
): void {
  const parameters = handler.getParameters().filter((one) => one !== ack && one.getName() !== 'this');
  if (parameters.some((one) => one.isRestParameter())) {
    const [rest] = parameters;
    if (parameters.length === 1 && rest) {
      client.edits.replace(rest, 'data');
      putFirst(handler, [`const ${rest.getName()} = Array.isArray(data) ? data : [data];`], client);
    }
    client.todo(handler, 'several values arrive as one list', 'several-values');
  } else if (parameters.length > 1) wrapParameters(parameters, handler, client);
  if (ack) convertAnswer(handler, ack, parameters, client);
  if (Node.isFunctionExpression(handler) && handler.getDescendantsOfKind(SyntaxKind.ThisKeyword).length > 0)
    client.todo(handler, 'this was the socket in here', 'every-verb-of-the-client');
}

/** `(data, ack) => { … ack(x) … }` answers a question of the server: it becomes a promise of the answer. */
function convertAnswer(
  handler: Node & { getBody(): Node },
  ack: HandlerParameter,
  others: readonly HandlerParameter[],
  { edits }: ClientFile,
): void {
  const last = others.at(-1);
  edits.replaceRange(last?.getEnd() ?? ack.getStart(), ack.getEnd(), '');
  const body = handler.getBody();
  const name = ack.getName();
  if (Node.isBlock(body)) {
    edits.insertBefore(
      body,
      Node.isArrowFunction(handler) ? `new Promise((${name}) => ` : `{ return new Promise((${name}) => `,
    );
    edits.insertAfter(body, Node.isArrowFunction(handler) ? ')' : '); }');
  } else {
    edits.insertBefore(body, `new Promise((${name}) => `);
    edits.insertAfter(body, ')');
  }
}

/** A handler that is given by its name gets the data, and the message as a second argument. */
function convertReference(handler: Node, { call }: SocketCall, client: ClientFile): void {
  if (/^console\.\w+$/.test(handler.getText())) {
    client.edits.replace(handler, `(data) => ${handler.getText()}(data)`);
    return;
  }
  const counts = declarationsOf(handler).map((one) => {
    const made = Node.isVariableDeclaration(one) || Node.isPropertyDeclaration(one) ? one.getInitializer() : one;
    const inner = Node.isCallExpression(made) ? made.getArguments()[0] : made;
    const isFunction =
      Node.isArrowFunction(inner) ||
      Node.isFunctionExpression(inner) ||
      Node.isFunctionDeclaration(inner) ||
      Node.isMethodDeclaration(inner);
    return isFunction ? inner.getParameters().length : 0;
  });
  if (counts.some((count) => count > 1))
    client.todo(
      call,
      'this handler gets one value, which is a list where the server sends several; a question of the server is answered with handle()',
      'several-values',
    );
}

interface HandlerParameter extends Node {
  getName(): string;
  getNameNode(): Node;
  getTypeNode(): Node | undefined;
  getInitializer(): Node | undefined;
  isOptional(): boolean;
  isRestParameter(): boolean;
}

/** The last parameter where it is called, as an acknowledgement is. */
function answeringParameter(
  handler: Node & { getParameters(): HandlerParameter[]; getBody(): Node },
): HandlerParameter | undefined {
  const last = handler.getParameters().at(-1);
  if (!last || last.isRestParameter() || !Node.isIdentifier(last.getNameNode())) return undefined;
  const name = last.getName();
  const isLikely =
    /^(?:ack|cb|callback|done|fn|respond|reply)$/.test(name) || Node.isFunctionTypeNode(last.getTypeNode());
  const isCalled = [handler.getBody(), ...handler.getBody().getDescendants()].some(
    (one) => Node.isCallExpression(one) && one.getExpression().getText() === name,
  );
  return isLikely && isCalled ? last : undefined;
}

/** Lines before everything else of a function. */
function putFirst(handler: Node & { getBody(): Node }, lines: readonly string[], client: ClientFile): void {
  if (lines.length === 0) return;
  const body = handler.getBody();
  if (Node.isBlock(body)) {
    const indent = client.indentOf(body) + client.unit;
    client.edits.insert(body.getStart() + 1, lines.map((line) => `\n${indent}${line}`).join(''));
    return;
  }
  client.edits.insertBefore(body, `{ ${lines.join(' ')} return `);
  client.edits.insertAfter(body, '; }');
}
