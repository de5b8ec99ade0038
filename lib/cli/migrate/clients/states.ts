import { Node, SyntaxKind, type ArrowFunction, type FunctionExpression, type StringLiteral } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { renameVerb, type SocketCall } from './emits.js';

/** How an event of the connection shows among the changes of the client's state. */
interface StateEvent {
  /** What of the change is looked at; undefined: the change itself, under the name `change`. */
  readonly fields?: readonly string[];
  /** Which change it is. */
  readonly condition: string;
  /** What the handler's first parameter was, made of the change. */
  readonly first?: { readonly fields: readonly string[]; readonly value: string };
}

/** A loss that the application has not asked for. */
const LOST = "'code' in change && change.code !== 1000";
const ERROR = { fields: [], value: 'new Error(change.reason)' };

const STATE_EVENTS: Readonly<Partial<Record<string, StateEvent>>> = {
  connect: { fields: ['state'], condition: "state === 'connected'" },
  disconnect: {
    fields: ['previous'],
    condition: "previous === 'connected'",
    first: { fields: ['reason'], value: 'reason' },
  },
  connect_error: { condition: `${LOST} && change.previous !== 'connected'`, first: ERROR },
  reconnect: { fields: ['state', 'previous'], condition: "state === 'connected' && previous === 'reconnecting'" },
  reconnect_attempt: {
    condition: "change.state === 'reconnecting'",
    first: { fields: [], value: 'change.attempt' },
  },
  reconnect_error: { condition: `${LOST} && change.previous === 'reconnecting'`, first: ERROR },
  reconnect_failed: {
    condition: `change.state === 'disconnected' && change.code !== 1000 && change.previous === 'reconnecting'`,
  },
};

/** Names of older versions. */
const ALIASES: Readonly<Partial<Record<string, string>>> = {
  reconnecting: 'reconnect_attempt',
  connect_timeout: 'connect_error',
  connect_failed: 'connect_error',
};

const REASON = 'the reason is a sentence for people here; the state tells what follows: disconnected, or reconnecting';
const REASONS = /['"](?:io (?:server|client) disconnect|ping timeout|transport (?:close|error))['"]/;

/**
 * Tells of a text that is compared with Socket.IO's own reasons outside of a listener, as in a function that is given to one by
 * its name: nothing else would, since a comparison that is never true compiles.
 */
export function convertReason(literal: StringLiteral, client: ClientFile): void {
  if (!/^io (?:server|client) disconnect$/.test(literal.getLiteralText())) return;
  const isTold = literal
    .getAncestors()
    .some((one) => Node.isCallExpression(one) && isStateEvent(textOf(one.getArguments()[0])));
  if (!isTold) client.todo(literal, REASON, 'connection-events');
}

/** Whether an event tells of the connection. */
export function isStateEvent(event: string | undefined): event is string {
  return event !== undefined && (Object.hasOwn(STATE_EVENTS, event) || Object.hasOwn(ALIASES, event));
}

/** `on('connect', handler)` becomes a listener of the state. */
export function convertStateListener(found: SocketCall, event: string, isOnce: boolean, client: ClientFile): void {
  const { edits } = client;
  const { call } = found;
  const [name, handler] = call.getArguments();
  const how = STATE_EVENTS[ALIASES[event] ?? event];
  if (!name || !handler || !how) {
    client.todo(call, 'listen to the changes of the state with onState', 'connection-events');
    return;
  }
  renameVerb(found, 'onState', client);
  edits.replaceRange(name.getStart(), handler.getStart(), '');
  if (REASONS.test(handler.getText())) client.todo(call, REASON, 'connection-events');
  const stop = isOnce && mayKeep(call) ? nameStop(call, event, client) : undefined;
  if (isOnce && stop === undefined)
    client.todo(call, 'call what onState returns, once it has told', 'connection-events');
  const lines = stop === undefined ? [] : [`${stop}();`];
  if (Node.isArrowFunction(handler) || Node.isFunctionExpression(handler))
    convertInline(handler, how, lines, found, client);
  else {
    const value = how.first && takesArgument(handler) ? how.first : undefined;
    lines.push(`${edits.textOf(handler)}(${value?.value ?? ''});`);
    const parameter = how.fields ? `{ ${[...how.fields, ...(value?.fields ?? [])].join(', ')} }` : 'change';
    const { unit } = client;
    const indent = client.indentOf(call);
    const inner = `\n${indent}${unit}${unit}`;
    const body = lines.length > 1 ? `{${inner}${lines.join(inner)}\n${indent}${unit}}` : (lines[0] ?? '');
    edits.replace(handler, `(${parameter}) => {\n${indent}${unit}if (${how.condition}) ${body}\n${indent}}`);
  }
}

function convertInline(
  handler: ArrowFunction | FunctionExpression,
  how: StateEvent,
  lines: string[],
  { call }: SocketCall,
  client: ClientFile,
): void {
  const [first, second] = handler.getParameters();
  if (second || (first && !how.first))
    client.todo(call, 'onState tells the state, the reason and the close code, and no more', 'connection-events');
  const given = first?.getNameNode().getText();
  const value = given === undefined ? undefined : how.first;
  if (!how.fields) {
    if (given !== undefined && value) lines.push(`const ${given} = ${value.value};`);
    replaceParameters(handler, 'change', client);
    putCondition(handler, how.condition, lines, client);
    return;
  }
  let { condition } = how;
  const destructured = how.fields.map((field) => {
    if (field === given || !usesName(handler.getBody(), field)) return field;
    condition = condition.replaceAll(new RegExp(`\\b${field} `, 'g'), `${field}Now `);
    return `${field}: ${field}Now`;
  });
  // The name of the handler's own parameter stays what it was.
  for (const field of value?.fields ?? []) destructured.push(field === given ? field : `${field}: ${given ?? field}`);
  replaceParameters(handler, `{ ${destructured.join(', ')} }`, client);
  putCondition(handler, condition, lines, client);
}

/** Takes a listener away: by what `onState` has returned, where that can be kept in a constant that is seen there. */
export function convertStateOff(found: SocketCall, event: string, client: ClientFile): void {
  const { call } = found;
  const handler = call.getArguments()[1]?.getText();
  const added = listenersOf(found, client).filter((one) => {
    const [name, given] = one.getArguments();
    return (
      one !== call &&
      textOf(name) === event &&
      (handler === undefined || given?.getText() === handler) &&
      isSeenFrom(one, call)
    );
  });
  const statement = call.getParent();
  if (added.length === 0 || !(Node.isExpressionStatement(statement) || Node.isArrowFunction(statement))) {
    client.todo(call, `keep what onState returned for ${event}, and call it here`, 'connection-events');
    client.edits.replace(call, 'undefined');
    return;
  }
  const names = added.map((one) => nameStop(one, event, client));
  client.edits.replace(
    call,
    Node.isExpressionStatement(statement)
      ? names.map((name) => `${name}()`).join('; ')
      : names.length === 1
        ? `${names[0] ?? ''}()`
        : `{ ${names.map((name) => `${name}();`).join(' ')} }`,
  );
}

const STOPS = new WeakMap<ClientFile, Map<Node, string>>();

/** The constant that keeps what ends a listener; it is made where the listener is added. */
function nameStop(call: Node, event: string, client: ClientFile): string {
  const names = STOPS.get(client) ?? new Map<Node, string>();
  STOPS.set(client, names);
  const present = names.get(call);
  if (present !== undefined) return present;
  const words = event.split('_').map((part) => (part[0] ?? '').toUpperCase() + part.slice(1));
  const near = [...names].filter(([other]) => blockOf(other) === blockOf(call)).map(([, name]) => name);
  const text = client.file.getFullText();
  let name = `off${words.join('')}`;
  for (let count = 2; near.includes(name) || new RegExp(`\\b${name}\\b`).test(text); count++)
    name = `off${words.join('')}${count}`;
  names.set(call, name);
  const parent = call.getParent();
  // A constant needs a block: the body of an arrow function becomes one.
  const isBody = Node.isArrowFunction(parent) && parent.getBody() === call;
  client.edits.insertBefore(call, `${isBody ? '{ ' : ''}const ${name} = `);
  if (isBody) client.edits.insertAfter(call, '; }');
  return name;
}

/** Whether what a call returns may be kept in a constant where the call stands. */
function mayKeep(call: Node): boolean {
  const parent = call.getParent();
  return Node.isExpressionStatement(parent) || (Node.isArrowFunction(parent) && parent.getBody() === call);
}

function blockOf(node: Node): Node | undefined {
  return node.getFirstAncestor((one) => Node.isBlock(one) || Node.isSourceFile(one));
}

function listenersOf({ socket }: SocketCall, client: ClientFile) {
  return client.file.getDescendantsOfKind(SyntaxKind.CallExpression).filter((one) => {
    const access = one.getExpression();
    return (
      Node.isPropertyAccessExpression(access) &&
      /^(?:on|addListener|addEventListener)$/.test(access.getName()) &&
      access
        .getExpression()
        .getText()
        .replace(/[!?]|\.io$/g, '') === socket.getText().replace(/[!?]|\.io$/g, '') &&
      Node.isExpressionStatement(one.getParent())
    );
  });
}

/** Whether a constant beside the first node is seen at the second one. */
function isSeenFrom(added: Node, used: Node): boolean {
  const block = blockOf(added);
  return block !== undefined && used.getPos() > added.getEnd() && used.getAncestors().includes(block);
}

function replaceParameters(handler: ArrowFunction | FunctionExpression, text: string, { edits }: ClientFile): void {
  const parameters = handler.getParameters();
  const [first, last] = [parameters[0], parameters.at(-1)];
  const open = handler.getFirstChildByKind(SyntaxKind.OpenParenToken);
  if (open) {
    const close = handler.getFirstChildByKind(SyntaxKind.CloseParenToken);
    edits.replaceRange(open.getEnd(), close?.getStart() ?? open.getEnd(), text);
  } else if (first && last) edits.replaceRange(first.getStart(), last.getEnd(), `(${text})`);
}

/** Makes a function do nothing but where a condition holds; the lines come before the rest of it. */
function putCondition(
  handler: ArrowFunction | FunctionExpression,
  condition: string,
  lines: readonly string[],
  client: ClientFile,
): void {
  const { edits } = client;
  const body = handler.getBody();
  const outer = client.indentOf(handler);
  const indent = `\n${outer}${client.unit}`;
  if (!Node.isBlock(body)) {
    const head =
      lines.length > 0
        ? `if (${negated(condition)}) return;${indent}${lines.join(indent)}${indent}`
        : `if (${condition}) `;
    edits.insertBefore(body, `{${indent}${head}`);
    edits.insertAfter(body, `;\n${outer}}`);
    return;
  }
  const head = indent + [`if (${negated(condition)}) return;`, ...lines].join(indent);
  const [first] = body.getStatementsWithComments();
  if (body.getText().includes('\n')) edits.insert(body.getStart() + 1, head);
  else if (first) edits.replaceRange(body.getStart() + 1, first.getStart(), head + indent);
}

function negated(condition: string): string {
  const simple = /^(\S+) === ('\w+')$/.exec(condition);
  return simple ? `${simple[1] ?? ''} !== ${simple[2] ?? ''}` : `!(${condition})`;
}

function usesName(node: Node, name: string): boolean {
  return (
    node.getDescendantsOfKind(SyntaxKind.Identifier).some((one) => one.getText() === name && !isMemberName(one)) ||
    (Node.isIdentifier(node) && node.getText() === name)
  );
}

function isMemberName(node: Node): boolean {
  const parent = node.getParent();
  return Node.isPropertyAccessExpression(parent) && parent.getNameNode() === node;
}

/** Whether a function that is given by its name has a parameter; unknown ones may. */
function takesArgument(handler: Node): boolean {
  const declared = handler.getSymbol()?.getDeclarations() ?? [];
  return declared.every((one) => {
    const made = Node.isVariableDeclaration(one) || Node.isPropertyDeclaration(one) ? one.getInitializer() : one;
    const inner = Node.isCallExpression(made) ? made.getArguments()[0] : made;
    const isKnown =
      Node.isArrowFunction(inner) ||
      Node.isFunctionExpression(inner) ||
      Node.isFunctionDeclaration(inner) ||
      Node.isMethodDeclaration(inner);
    return !isKnown || inner.getParameters().length > 0;
  });
}

function textOf(node: Node | undefined): string | undefined {
  return Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node) ? node.getLiteralText() : undefined;
}
