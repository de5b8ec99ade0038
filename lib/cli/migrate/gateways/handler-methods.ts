import { Node, type CallExpression } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';

const HOOKS: ReadonlySet<string> = new Set(['handleConnection', 'afterInit']);

/**
 * Awaits a join that stands alone: what is sent to the room afterwards reaches the client once the join is done. A handler
 * becomes async for it, since Nest awaits handlers.
 */
export function awaitJoin(call: CallExpression, file: GatewayFile): void {
  if (!Node.isExpressionStatement(call.getParent())) return;
  const owner = call.getFirstAncestor(
    (one) =>
      Node.isMethodDeclaration(one) ||
      Node.isFunctionDeclaration(one) ||
      Node.isArrowFunction(one) ||
      Node.isFunctionExpression(one),
  );
  if (Node.isMethodDeclaration(owner)) {
    const isHandler = owner.getDecorator('SubscribeMessage') !== undefined || HOOKS.has(owner.getName());
    if (!owner.isAsync() && !isHandler) return;
    if (!owner.isAsync()) makeAsync(owner, file);
  } else if (Node.isFunctionDeclaration(owner) || Node.isArrowFunction(owner) || Node.isFunctionExpression(owner)) {
    if (!owner.isAsync()) return;
  } else return;
  file.edits.replace(call, `await ${file.text(call)}`);
}

const madeAsync = new WeakSet<Node>();

function makeAsync(method: Node, file: GatewayFile): void {
  if (!Node.isMethodDeclaration(method) || madeAsync.has(method)) return;
  madeAsync.add(method);
  file.edits.insertBefore(method.getNameNode(), 'async ');
  const type = method.getReturnTypeNode();
  if (type && !type.getText().startsWith('Promise<')) file.edits.replace(type, `Promise<${file.text(type)}>`);
}

/** `afterInit` gets the server of ws here: the service is injected, and the parameter only keeps its place. */
export function rewriteInit(method: Node, file: GatewayFile): void {
  if (!Node.isMethodDeclaration(method) || method.getName() !== 'afterInit') return;
  const [parameter] = method.getParameters();
  const type = parameter?.getTypeNode();
  if (!parameter || file.kinds.ofDeclared(parameter) !== 'server') return;
  if (type) file.edits.replace(type, 'unknown');
}

/** A server that `afterInit` hands on, as in `this.server = server`. */
export function rewriteHandedOn(node: Node, file: GatewayFile): void {
  if (!Node.isIdentifier(node) || file.kinds.of(node) !== 'server') return;
  const [declaration] = node.getSymbol()?.getDeclarations() ?? [];
  const owner = declaration?.getParent();
  if (!Node.isParameterDeclaration(declaration) || node.getParent() === declaration) return;
  if (!Node.isMethodDeclaration(owner) || owner.getName() !== 'afterInit') return;
  const parent = node.getParent();
  // A chain has a rule of its own.
  if (Node.isPropertyAccessExpression(parent)) return;
  const service = file.service(node, 'WebSocketService');
  if (service === undefined) return;
  const isOwn = Node.isBinaryExpression(parent) && parent.getRight() === node && parent.getLeft().getText() === service;
  const statement = parent.getParent();
  if (isOwn && Node.isExpressionStatement(statement)) file.edits.remove(statement);
  else file.edits.replace(node, service);
}
