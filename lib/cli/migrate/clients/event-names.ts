import { isSystemEvent, ownPartOf, routeOfEvent } from '../../../protocol/route-key.js';
import { Node } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { declarationsOf } from './sockets.js';

/** Events of `event.v1` that applications may use for their own. */
const OPEN = ['join', 'leave'];

/**
 * The names of an event as two arguments: its type and its action. Leaves a comment where the library has taken the name.
 *
 * @param isHeard whether the server sends it, which may use more names than a client
 */
export function namesOf(event: Node, client: ClientFile, { isHeard = false } = {}): string {
  const value = valueOf(event);
  if (value !== undefined) checkName(event, value, isHeard, client);
  if (value === undefined || !(Node.isStringLiteral(event) || Node.isNoSubstitutionTemplateLiteral(event))) {
    const text = client.edits.textOf(event);
    return value === undefined || value.includes(':')
      ? `...${client.need('namesOf')}(${text})`
      : `${client.quote}event${client.quote}, ${text}`;
  }
  const quote = quoteOf(event);
  const { type, action } = routeOfEvent(value);
  return `${quote}${type}${quote}, ${quote}${escaped(action, quote)}${quote}`;
}

/** What an expression is, where that can be seen: a text, a constant, a member of an enum or of a constant object. */
export function valueOf(node: Node | undefined): string | undefined {
  if (Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node)) return node.getLiteralText();
  if (Node.isAsExpression(node) || Node.isParenthesizedExpression(node)) return valueOf(node.getExpression());
  if (!Node.isIdentifier(node) && !Node.isPropertyAccessExpression(node)) return undefined;
  for (const one of declarationsOf(node)) {
    const isConstant =
      Node.isVariableDeclaration(one) && String(one.getVariableStatement()?.getDeclarationKind()) === 'const';
    const isField = Node.isPropertyDeclaration(one) && one.isReadonly();
    if (isConstant || isField || Node.isPropertyAssignment(one)) return valueOf(one.getInitializer());
    if (Node.isEnumMember(one)) return valueOf(one.getInitializer());
  }
  return undefined;
}

function checkName(event: Node, value: string, isHeard: boolean, client: ClientFile): void {
  const { type, action } = routeOfEvent(value);
  const own = ownPartOf(type, action);
  // Pushes of the application may have the type `error`.
  const isOwn = own !== undefined && !(isHeard && type === 'error' && action !== 'message');
  if (!isOwn && value !== 'user:leftRoom' && (!isSystemEvent(value) || OPEN.includes(value))) return;
  const text = `the library has an event ${value} of its own, so give yours another name, here and on the server`;
  client.todo(event, text, 'names');
}

function quoteOf(event: Node): string {
  const first = event.getText()[0] ?? '';
  return first === '"' ? '"' : "'";
}

function escaped(text: string, quote: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);
}
