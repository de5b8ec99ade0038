import { Node } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';
import { DEFAULT_PATH, onlyOf, textOf } from './gateway-project.js';

const ANCHOR = 'every-verb-of-the-server';
/** Options of Socket.IO that the module has instead (see root-module.ts), and those that have no meaning without polling. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  (
    'cors transports allowEIO3 allowUpgrades serveClient cookie pingInterval pingTimeout maxHttpBufferSize perMessageDeflate httpCompression ' +
    'connectTimeout upgradeTimeout destroyUpgrade destroyUpgradeTimeout cleanupEmptyChildNamespaces connectionStateRecovery adapter parser ' +
    'wsEngine allowRequest initialPacket'
  ).split(' '),
);

/** Of these the ones that something has to be done about. */
const OTHERWISE: ReadonlySet<string> = new Set(['connectionStateRecovery', 'allowRequest', 'adapter', 'parser']);

/** Events that are the library's own; `join` and `leave` an application may have too. */
const RESERVED: ReadonlySet<string> = new Set([
  'authenticate',
  'connected',
  'disconnect',
  'error',
  'heartbeat',
  'encrypted',
]);

/** `@SubscribeMessage('disconnect')`: a name that fails the start here. */
export function checkEventName(node: Node, file: GatewayFile): void {
  if (!Node.isDecorator(node) || node.getName() !== 'SubscribeMessage') return;
  const name = textOf(node.getArguments()[0]);
  if (name === undefined || !RESERVED.has(name)) return;
  const what =
    name === 'disconnect'
      ? 'the end of a connection is handleDisconnect(client, reason, code)'
      : 'give this event another name';
  file.context.todo(node, `${name} belongs to the library: ${what}`, 'handlers');
}

/** `@WebSocketGateway(81, { namespace: 'chat', cors: true })`: the namespace becomes a path, other options are the module's. */
export function rewriteGatewayDecorator(node: Node, file: GatewayFile): void {
  if (!Node.isDecorator(node) || node.getName() !== 'WebSocketGateway') return;
  const given = node.getArguments();
  const options = Node.isObjectLiteralExpression(given.at(-1)) ? given.at(-1) : undefined;
  const isLiteral = given.every((one) => one === options || Node.isNumericLiteral(one));
  if (!isLiteral && (given.length > 1 || !options)) {
    file.context.todo(node, 'of these options the module has cors as origins; namespace is path', ANCHOR);
  }
  if (!options && !isLiteral) return;
  const { kept, changed } = readOptions(node, options, file);
  // Here a gateway without a path answers on every path.
  const needsPath = file.project.paths.size > 1 && !kept.some((one) => /^path\b/.test(one));
  if (needsPath) kept.push(`path: '${DEFAULT_PATH}'`);
  if (!changed && !needsPath) return;
  const text = kept.length > 0 ? `{ ${kept.join(', ')} }` : '';
  if (!options) addArgument(node, text, file);
  else if (text !== '') file.edits.replace(options, text);
  else if (given.length === 1) file.edits.replace(options, '');
  else file.edits.removeElement(options);
}

/** What stays of the options, each as a text. */
function readOptions(
  decorator: Node,
  options: Node | undefined,
  file: GatewayFile,
): { kept: string[]; changed: boolean } {
  const kept: string[] = [];
  let changed = false;
  if (!Node.isObjectLiteralExpression(options)) return { kept, changed };
  const hasNamespace = options.getProperty('namespace') !== undefined;
  for (const property of options.getProperties()) {
    const name =
      Node.isPropertyAssignment(property) || Node.isShorthandPropertyAssignment(property) ? property.getName() : '';
    const isElsewhere = ELSEWHERE.has(name) || (name === 'path' && hasNamespace);
    changed ||= isElsewhere || name === 'namespace';
    if (isElsewhere) {
      if (OTHERWISE.has(name)) file.context.todo(decorator, `${name} has another counterpart here`, ANCHOR);
    } else if (name === 'namespace' && Node.isPropertyAssignment(property)) {
      const path = readNamespace(decorator, onlyOf(property.getInitializer()), file);
      if (path !== undefined) kept.push(path);
    } else kept.push(file.text(property));
  }
  return { kept, changed };
}

/** The path of a namespace: `path: '/chat'`; undefined for the one that everybody is in. */
function readNamespace(decorator: Node, namespace: Node | undefined, file: GatewayFile): string | undefined {
  const text = textOf(namespace);
  if (text !== undefined)
    return text === '' || text === '/' ? undefined : `path: ${quoted(`/${text.replace(/^\/+/, '')}`, namespace)}`;
  file.context.todo(decorator, 'a path may have parameters, /:tenant, and is no regular expression', ANCHOR);
  return namespace && !Node.isRegularExpressionLiteral(namespace) ? `path: ${file.text(namespace)}` : undefined;
}

function addArgument(decorator: Node, text: string, file: GatewayFile): void {
  if (!Node.isDecorator(decorator)) return;
  const last = decorator.getArguments().at(-1);
  if (last) file.edits.insertAfter(last, `, ${text}`);
  else file.edits.replace(decorator, `@${decorator.getName()}(${text})`);
}

function quoted(text: string, like: Node | undefined): string {
  const quote = like?.getText()[0] === '"' ? '"' : "'";
  return `${quote}${text}${quote}`;
}
