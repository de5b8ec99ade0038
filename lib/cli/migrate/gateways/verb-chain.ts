import { Node, type CallExpression } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';
import { textOf } from './gateway-project.js';
import type { Kind } from './known-types.js';

/** The methods that say to whom something is sent. */
export const STEPS: ReadonlySet<string> = new Set(['to', 'in', 'except', 'timeout', 'compress', 'of']);
const FLAGS: ReadonlySet<string> = new Set(['broadcast', 'volatile', 'local', 'sockets', 'nsp', 'server']);

/** A call such as `this.server.to('tea').except(socket.id).emit('hello')`, taken apart. */
export interface VerbChain {
  readonly call: CallExpression;
  /** `this.server`, `client`. */
  readonly base: Node;
  readonly kind: Kind;
  readonly verb: string;
  /** Lists of rooms and of clients' ids, as texts of list elements: `'tea'`, `...rooms`. */
  readonly rooms: readonly string[];
  readonly clients: readonly string[];
  readonly exceptRooms: readonly string[];
  readonly exceptClients: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly timeout: string | undefined;
  /** `?` where the first step is optional: `server?.emit('hello')`. */
  readonly question: '' | '?';
  /** Of `.of('/chat')`; null where its name is no text that stands there. */
  readonly namespace: string | null | undefined;
}

/** Takes a call apart that begins at a server or a client; undefined for any other one. */
export function readChain(call: CallExpression, file: GatewayFile): VerbChain | undefined {
  const called = call.getExpression();
  if (!Node.isPropertyAccessExpression(called)) return undefined;
  const chain = {
    ...{ rooms: [] as string[], clients: [] as string[], exceptRooms: [] as string[], exceptClients: [] as string[] },
    ...{
      flags: new Set<string>(),
      timeout: undefined as string | undefined,
      namespace: undefined as string | null | undefined,
    },
  };
  let at: Node = called.getExpression();
  let question: VerbChain['question'] = called.hasQuestionDotToken() ? '?' : '';
  for (;;) {
    at = unwrap(at);
    const step = Node.isCallExpression(at) ? at.getExpression() : at;
    if (!Node.isPropertyAccessExpression(step)) break;
    const name = step.getName();
    const [argument] = Node.isCallExpression(at) ? at.getArguments() : [];
    if (Node.isCallExpression(at) ? !STEPS.has(name) : !FLAGS.has(name) || !isPartOfChain(step, file)) break;
    if (!Node.isCallExpression(at)) chain.flags.add(name);
    else if (name === 'timeout') chain.timeout = argument && file.text(argument);
    else if (name === 'of') chain.namespace = textOf(argument) ?? null;
    else if (argument && name !== 'compress') addTargets(argument, name === 'except', chain, file);
    at = step.getExpression();
    question = step.hasQuestionDotToken() ? '?' : '';
  }
  const kind = file.kinds.of(at);
  if (kind !== 'server' && kind !== 'socket' && kind !== 'remote') return undefined;
  return { call, base: at, kind, verb: called.getName(), question, ...chain };
}

/** What stands in parentheses for no reason; `(client as Socket)` keeps them. */
function unwrap(node: Node): Node {
  if (Node.isNonNullExpression(node)) return unwrap(node.getExpression());
  const inner = Node.isParenthesizedExpression(node) ? unwrap(node.getExpression()) : node;
  const isSimple = Node.isPropertyAccessExpression(inner) || Node.isCallExpression(inner) || Node.isIdentifier(inner);
  return isSimple ? inner : node;
}

/** `server` alone is a name like any other. */
function isPartOfChain(access: Node, file: GatewayFile): boolean {
  if (!Node.isPropertyAccessExpression(access)) return false;
  const name = access.getName();
  if (name !== 'server' && name !== 'sockets' && name !== 'nsp') return true;
  return file.kinds.of(access.getExpression()) !== undefined;
}

type Targets = Record<'rooms' | 'clients' | 'exceptRooms' | 'exceptClients', string[]>;

function addTargets(argument: Node, isExcept: boolean, chain: Targets, file: GatewayFile): void {
  const elements = Node.isArrayLiteralExpression(argument) ? argument.getElements() : [argument];
  // Chains are read from their end.
  for (const element of elements.toReversed()) {
    const isList = !Node.isArrayLiteralExpression(argument) && isListOfTexts(element);
    const text = isList ? `...${file.text(element)}` : file.text(element);
    const isClient = isClientId(element, file);
    chain[isExcept ? (isClient ? 'exceptClients' : 'exceptRooms') : isClient ? 'clients' : 'rooms'].unshift(text);
  }
}

/** `client.id`, and what is called like one: there, a room of a client's id is meant. */
function isClientId(node: Node, file: GatewayFile): boolean {
  if (Node.isNonNullExpression(node) || Node.isSpreadElement(node)) return isClientId(node.getExpression(), file);
  if (Node.isCallExpression(node)) {
    const [callback] = node.getArguments();
    const body = Node.isArrowFunction(callback) ? callback.getBody() : undefined;
    return body !== undefined && Node.isPropertyAccessExpression(body) && isClientId(body, file);
  }
  const name = Node.isPropertyAccessExpression(node) ? node.getName() : Node.isIdentifier(node) ? node.getText() : '';
  if (Node.isPropertyAccessExpression(node) && name === 'id') {
    const kind = file.kinds.of(node.getExpression());
    return kind === 'socket' || kind === 'remote';
  }
  return /(?:^|[a-z_])(?:socket|client)_?ids?$/i.test(name) && !/room/i.test(name);
}

/** Whether an expression is a list, as far as it is written. */
export function isListOfTexts(node: Node): boolean {
  if (Node.isCallExpression(node)) {
    const called = node.getExpression();
    return (
      Node.isPropertyAccessExpression(called) &&
      ['map', 'filter', 'from', 'concat', 'slice', 'keys', 'split'].includes(called.getName())
    );
  }
  if (!Node.isIdentifier(node)) return false;
  const [declaration] = node.getSymbol()?.getDeclarations() ?? [];
  if (Node.isParameterDeclaration(declaration) || Node.isVariableDeclaration(declaration)) {
    const type = declaration.getTypeNode();
    if (type) return Node.isArrayTypeNode(type) || /^(?:Readonly)?(?:Array|Set)</.test(type.getText());
    const value = declaration.getInitializer();
    return value !== undefined && (Node.isArrayLiteralExpression(value) || isListOfTexts(value));
  }
  return false;
}
