import { Node, type ClassDeclaration } from '../ts-morph.js';
import type { GatewayFile } from './gateway-file.js';
import { propertyOf } from './gateway-project.js';
import { moduleOptions } from './module-options.js';

/** Whether only white space stands before a node on its line. */
function isFirstOnLine(node: Node, { edits }: GatewayFile): boolean {
  const start = node.getStart();
  return start === edits.lineStart(start) + edits.indentAt(start).length;
}

const MODULE = 'PxlWebSocketModule';

/** Imports this library's module into the application's root module, with the options that gateways and adapters had. */
export function rewriteRootModule(file: GatewayFile): void {
  const root = file.project.rootModule();
  if (!root && file.project.lacksModule && file.project.gateways[0]?.getSourceFile() === file.source) {
    file.context.note(`import ${flatCall(file)} into the root module, which was not found`);
  }
  for (const other of file.source.getClasses()) {
    if (!root || other === root || !other.getDecorator('Module') || !file.project.rootModules().includes(other))
      continue;
    file.context.todo(other, `import ${MODULE}.forRoot here too, if this application has gateways`, 'the-module');
  }
  if (root?.getSourceFile() !== file.source) return;
  const [metadata] = root.getDecorator('Module')?.getArguments() ?? [];
  const given = propertyOf(metadata, 'imports');
  if (!metadata || !Node.isObjectLiteralExpression(metadata) || (given && !Node.isArrayLiteralExpression(given))) {
    file.context.todo(root, `import ${flatCall(file)}`, 'the-module');
    return;
  }
  file.use(MODULE);
  addImport(root, metadata, given, file);
}

function addImport(root: ClassDeclaration, metadata: Node, given: Node | undefined, file: GatewayFile): void {
  const { edits } = file;
  const options = moduleOptions(file.project);
  const step = '  ';
  const last = Node.isArrayLiteralExpression(given) ? given.getElements().at(-1) : undefined;
  if (last && isFirstOnLine(last, file)) {
    const indent = edits.indentAt(last.getStart());
    edits.insertAfter(last, `,\n${indent}${call(options, indent)}`);
    return;
  }
  if (Node.isArrayLiteralExpression(given)) {
    const outer = edits.indentAt(given.getStart());
    const indent = `${outer}${step}`;
    const elements = [...given.getElements().map((one) => one.getText()), call(options, indent)];
    edits.replace(given, `[\n${elements.map((one) => `${indent}${one},\n`).join('')}${outer}]`);
    return;
  }
  const [first] = Node.isObjectLiteralExpression(metadata) ? metadata.getProperties() : [];
  const isOwnLine = first !== undefined && isFirstOnLine(first, file);
  const indent = first ? edits.indentAt(first.getStart()) : `${edits.indentAt(root.getStart())}${step}`;
  const property = `imports: [\n${indent}${step}${call(options, `${indent}${step}`)},\n${indent}]`;
  if (!first) edits.replace(metadata, `{\n${indent}${property},\n${edits.indentAt(root.getStart())}}`);
  else edits.insertBefore(first, isOwnLine ? `${property},\n${indent}` : `${property}, `);
}

/** On one line, for a sentence: all options, since who may connect is among them. */
function flatCall({ project }: GatewayFile): string {
  const options = moduleOptions(project).map((option) => option.replace(/^\s*\/\/.*$/gm, '').replace(/\s+/g, ' '));
  return `${MODULE}.forRoot({ ${options.filter((option) => option !== '').join(', ')} })`;
}

/** One option on each line, where there are several. */
function call(options: readonly string[], indent: string): string {
  if (options.length === 1 && !options[0]?.includes('\n')) return `${MODULE}.forRoot({ ${options[0] ?? ''} })`;
  const lines = options.map(
    (option) => `${indent}  ${option.replace(/\n/g, `\n${indent}  `)}${option.startsWith('//') ? '' : ','}\n`,
  );
  return `${MODULE}.forRoot({\n${lines.join('')}${indent}})`;
}
