import { Node } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';
import { nameInModule } from './known-types.js';

const SERVER = 'every-verb-of-the-server';
/** What a property of an interface that extends Socket already is here. */
const OF_CLIENT: ReadonlySet<string> = new Set([
  'id',
  'handshake',
  'rooms',
  'join',
  'leave',
  'emit',
  'request',
  'conn',
]);

/** Rewrites what is said of types: `Socket`, `Server`, and what the project has made of them. */
export function rewriteType(node: Node, file: GatewayFile): void {
  if (Node.isInterfaceDeclaration(node)) {
    rewriteInterface(node, file);
    return;
  }
  if (Node.isTypeAliasDeclaration(node)) {
    rewriteAlias(node, file);
    return;
  }
  if (Node.isParameterDeclaration(node) || Node.isPropertyDeclaration(node)) {
    addType(node, file);
    return;
  }
  if (!Node.isTypeReference(node)) return;
  const kind = nameInModule(file.source, node.getTypeName().getText());
  if (!kind) return;
  if (kind === 'server') {
    if (isOfInit(node)) return;
    const parent = node.getParent();
    const isOfHook = Node.isExpressionWithTypeArguments(parent) && parent.getExpression().getText() === 'OnGatewayInit';
    if (isOfHook) {
      file.edits.replace(node, 'unknown');
      return;
    }
    file.use('WebSocketService');
    file.edits.replace(node, 'WebSocketService');
    return;
  }
  if (kind === 'remote') {
    file.use('ClientEntry', { type: true });
    file.edits.replace(node, 'ClientEntry');
    return;
  }
  file.use('WsClient');
  const data = node.getTypeArguments()[3];
  if (data) file.edits.replace(node, inParentheses(node, `WsClient & { readonly metadata: ${file.text(data)} }`));
  else file.edits.replace(node, file.readsMetadata && !isInOwnType(node) ? file.metadataType() : 'WsClient');
}

/** `interface Known extends Socket { user: User }`: a class with private parts is better not extended. */
function rewriteInterface(node: Node, file: GatewayFile): void {
  if (!Node.isInterfaceDeclaration(node)) return;
  const [extended, ...others] = node.getExtends();
  if (!extended || nameInModule(file.source, extended.getExpression().getText()) !== 'socket') {
    if (extended && file.project.types.kindOf(extended) === 'socket') replaceInterface(node, extended.getText(), file);
    return;
  }
  if (others.length > 0) {
    file.context.todo(node, 'make it a type: WsClient & { readonly metadata: { … } }', SERVER);
    return;
  }
  file.use('WsClient');
  replaceInterface(node, 'WsClient', file);
}

function replaceInterface(node: Node, base: string, file: GatewayFile): void {
  if (!Node.isInterfaceDeclaration(node)) return;
  const parameters = node.getTypeParameters().map((one) => one.getText());
  const generic = parameters.length > 0 ? `<${parameters.join(', ')}>` : '';
  const indent = `${file.edits.indentAt(node.getStart())}  `;
  const head = `${node.isExported() ? 'export ' : ''}${node.isDefaultExport() ? 'default ' : ''}type ${node.getName()}${generic} = ${base}`;
  const parts = metadataParts(node.getMembers(), file);
  const end = ';';
  if (parts.members.length === 0 && parts.data.length === 0) {
    file.edits.replace(node, `${head}${end}`);
    return;
  }
  const own =
    parts.members.length > 0
      ? [`{\n${parts.members.map((text) => `${indent}${text}\n`).join('')}${indent.slice(2)}}`]
      : [];
  file.edits.replace(node, `${head} & { readonly metadata: ${[...parts.data, ...own].join(' & ')} }${end}`);
}

/** `type Known = Socket & { user: User }`. */
function rewriteAlias(node: Node, file: GatewayFile): void {
  if (!Node.isTypeAliasDeclaration(node)) return;
  const type = node.getTypeNode();
  if (!Node.isIntersectionTypeNode(type)) return;
  const parts = type.getTypeNodes();
  if (!parts.some((one) => file.project.types.kindOf(one) === 'socket')) return;
  for (const part of parts) {
    if (!Node.isTypeLiteral(part)) continue;
    const { members, data } = metadataParts(part.getMembers(), file);
    const own = members.length > 0 ? [`{ ${members.join(' ')} }`] : [];
    const text = [...data, ...own].join(' & ');
    file.edits.replace(part, text === '' ? 'object' : `{ readonly metadata: ${text} }`);
  }
}

/** What members of a type of sockets are in metadata: those of `data`, and the others. */
function metadataParts(members: readonly Node[], file: GatewayFile): { members: string[]; data: string[] } {
  const parts = { members: [] as string[], data: [] as string[] };
  for (const member of members) {
    const name = Node.isPropertySignature(member) || Node.isMethodSignature(member) ? member.getName() : '';
    if (OF_CLIENT.has(name)) continue;
    const type = Node.isPropertySignature(member) ? member.getTypeNode() : undefined;
    if (name === 'data' && type) parts.data.push(file.text(type));
    else parts.members.push(file.text(member));
  }
  return parts;
}

/** A server without a type, which an injected property needs. */
function addType(node: Node, file: GatewayFile): void {
  if (!Node.isPropertyDeclaration(node) || file.kinds.ofDeclared(node) !== 'server') return;
  const decorator = node.getDecorator('WebSocketServer');
  if (!decorator) return;
  file.use('WebSocketService');
  file.context.imports.add('@nestjs/common', 'Inject');
  file.context.imports.dropUnused('@nestjs/websockets');
  file.edits.replace(decorator, '@Inject(WebSocketService)');
  const value = node.getInitializer();
  // A server of its own, as some have it: it was never used.
  if (value) file.edits.replaceRange((node.getTypeNode() ?? node.getNameNode()).getEnd(), value.getEnd(), '');
  const type = node.getTypeNode();
  if (!type)
    file.edits.insertAfter(
      node.getExclamationTokenNode() ?? node.getQuestionTokenNode() ?? node.getNameNode(),
      ': WebSocketService',
    );
  else if (type.getText() === 'any') file.edits.replace(type, 'WebSocketService');
}

/** The type of `afterInit`'s parameter has a rule of its own. */
function isOfInit(type: Node): boolean {
  const parameter = type.getParent();
  const method = parameter?.getParent();
  return Node.isParameterDeclaration(parameter) && Node.isMethodDeclaration(method) && method.getName() === 'afterInit';
}

/** What says itself what metadata there is. */
function isInOwnType(type: Node): boolean {
  return (
    type.getFirstAncestor((one) => Node.isTypeAliasDeclaration(one) || Node.isInterfaceDeclaration(one)) !== undefined
  );
}

function inParentheses(node: Node, text: string): string {
  const parent = node.getParent();
  return Node.isArrayTypeNode(parent) || Node.isUnionTypeNode(parent) ? `(${text})` : text;
}
