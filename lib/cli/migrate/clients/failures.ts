import { Node, SyntaxKind, type CallExpression } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { valueOf } from './event-names.js';
import { holderOf } from './holders.js';

/** What a server tells of a failure; here it comes to `events.onError`, which is chosen where the client is made. */
const FAILURES: Readonly<Partial<Record<string, string>>> = { exception: 'onException', error: 'onServerError' };

export function isFailure(event: string | undefined): event is string {
  return event !== undefined && Object.hasOwn(FAILURES, event);
}

/** What handles the failures of the client that a call makes: names that are seen where it is made. */
export function failuresOf(made: Node, client: ClientFile): string[] {
  const holder = holderOf(made);
  const block = holder?.statement.getParent();
  if (!holder || !block) return [];
  const names = listenersIn(client).filter((call) => {
    const access = call.getExpression();
    const isOwn = Node.isPropertyAccessExpression(access) && access.getExpression().getText() === holder.name;
    return isOwn && call.getParent()?.getParent() === block;
  });
  return names.map(nameOf);
}

/** `on('exception', handler)`: the handler gets a name, by which the client knows it. */
export function convertFailure(call: CallExpression, event: string, client: ClientFile): void {
  const handler = call.getArguments()[1];
  const access = call.getExpression();
  const owner = Node.isPropertyAccessExpression(access) ? access.getExpression().getText() : '';
  const isKnown = client.file.getDescendants().some((one) => {
    if (!Node.isCallExpression(one) && !Node.isNewExpression(one)) return false;
    const holder = client.sockets.namesIn(client.file).isIo(one.getExpression()) ? holderOf(one) : undefined;
    return holder?.name === owner && holder.statement.getParent() === call.getParent()?.getParent();
  });
  const statement = call.getParent();
  if (!isKnown)
    client.todo(call, `${event} comes to events: { onError: ({ error }) => … } of the client's options`, 'errors');
  if (!handler || !Node.isExpressionStatement(statement)) return;
  const isInline = Node.isArrowFunction(handler) || Node.isFunctionExpression(handler);
  const [parameter] = isInline ? handler.getParameters() : [];
  if (parameter && client.isTyped && !parameter.getTypeNode()) {
    const isBare = handler.getFirstChildByKind(SyntaxKind.OpenParenToken) === undefined;
    client.edits.replace(parameter, isBare ? `(${parameter.getText()}: any)` : `${parameter.getText()}: any`);
  }
  if (!Node.isIdentifier(handler))
    client.edits.replace(call, `const ${nameOf(call)} = ${client.edits.textOf(handler)}`);
  else if (isKnown) client.edits.remove(statement);
  else client.edits.replace(call, `void ${handler.getText()}`);
}

function listenersIn(client: ClientFile): CallExpression[] {
  return client.file.getDescendantsOfKind(SyntaxKind.CallExpression).filter((call) => {
    const access = call.getExpression();
    if (!Node.isPropertyAccessExpression(access) || access.getName() !== 'on') return false;
    return isFailure(valueOf(call.getArguments()[0])) && Node.isExpressionStatement(call.getParent());
  });
}

function nameOf(call: CallExpression): string {
  const [event, handler] = call.getArguments();
  return Node.isIdentifier(handler) ? handler.getText() : (FAILURES[valueOf(event) ?? ''] ?? 'onFailure');
}
