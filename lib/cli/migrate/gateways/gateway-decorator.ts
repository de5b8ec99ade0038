import { Node } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';
import { onlyOf, textOf } from './gateway-project.js';

const ANCHOR = 'every-verb-of-the-server';
/** Options of Socket.IO that the module has instead (see root-module.ts), and those that have no meaning without polling. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  (
    'cors transports allowEIO3 allowUpgrades serveClient cookie pingInterval pingTimeout maxHttpBufferSize perMessageDeflate httpCompression ' +
    'connectTimeout upgradeTimeout destroyUpgrade destroyUpgradeTimeout cleanupEmptyChildNamespaces connectionStateRecovery adapter parser ' +
    'wsEngine allowRequest initialPacket'
  ).split(' '),
);

/** `@WebSocketGateway(81, { namespace: 'chat', cors: true })`: the namespace becomes a path, other options are the module's. */
export function rewriteGatewayDecorator(node: Node, file: GatewayFile): void {
  if (!Node.isDecorator(node) || node.getName() !== 'WebSocketGateway') return;
  const given = node.getArguments();
  const options = given.at(-1);
  if (!options || Node.isNumericLiteral(options)) return;
  if (!Node.isObjectLiteralExpression(options)) {
    if (given.length > 1)
      file.context.todo(node, 'of these options the module has cors as origins; namespace is path', ANCHOR);
    return;
  }
  const kept: string[] = [];
  let changed = false;
  const hasNamespace = options.getProperty('namespace') !== undefined;
  for (const property of options.getProperties()) {
    const name =
      Node.isPropertyAssignment(property) || Node.isShorthandPropertyAssignment(property) ? property.getName() : '';
    if (ELSEWHERE.has(name) || (name === 'path' && hasNamespace)) {
      changed = true;
      if (['connectionStateRecovery', 'allowRequest', 'adapter', 'parser'].includes(name)) {
        file.context.todo(node, `${name} has another counterpart here`, ANCHOR);
      }
      continue;
    }
    if (name !== 'namespace' || !Node.isPropertyAssignment(property)) {
      kept.push(file.text(property));
      continue;
    }
    changed = true;
    const namespace = onlyOf(property.getInitializer());
    const text = textOf(namespace);
    if (text === undefined) {
      file.context.todo(node, 'a path may have parameters, /:tenant, and is no regular expression', ANCHOR);
      if (namespace && !Node.isRegularExpressionLiteral(namespace)) kept.push(`path: ${file.text(namespace)}`);
    } else if (text !== '' && text !== '/') kept.push(`path: ${quoted(`/${text.replace(/^\/+/, '')}`, namespace)}`);
  }
  if (!changed) return;
  if (kept.length > 0) {
    file.edits.replace(options, `{ ${kept.join(', ')} }`);
    return;
  }
  if (given.length === 1) file.edits.replace(options, '');
  else file.edits.removeElement(options);
}

function quoted(text: string, like: Node | undefined): string {
  const quote = like?.getText()[0] === '"' ? '"' : "'";
  return `${quote}${text}${quote}`;
}
