import { Node, type ClassDeclaration } from '../ts-morph.js';
import { commentedOut, type GatewayFile } from './gateway-file.js';

const ANCHOR = 'adapters';

/** Takes out what makes Socket.IO the adapter of an application, and the project's own adapters. */
export function rewriteAdapters(file: GatewayFile): void {
  for (const declaration of file.source.getClasses())
    if (file.project.isAdapter(declaration)) removeAdapter(declaration, file);
  for (const call of file.source.getDescendants()) {
    if (!Node.isCallExpression(call) || !call.getExpression().getText().endsWith('.useWebSocketAdapter')) continue;
    const [adapter] = call.getArguments();
    const statement = call.getParent();
    if (!adapter || !Node.isExpressionStatement(statement) || !isOfSocketIo(adapter, file)) continue;
    file.edits.remove(statement);
    if (Node.isIdentifier(adapter)) removeVariable(adapter, file);
  }
  for (const declaration of file.source.getImportDeclarations()) {
    const names = [
      ...declaration.getNamedImports().map((one) => one.getName()),
      declaration.getDefaultImport()?.getText(),
    ];
    const isOfAdapter = names.some(
      (name) => name !== undefined && file.project.isAdapter(file.project.types.classNamed(name)),
    );
    if (isOfAdapter) file.context.imports.dropUnused(declaration.getModuleSpecifierValue());
  }
}

/** An adapter that decides who may connect stays as a comment; of any other one the module has the counterpart. */
function removeAdapter(declaration: ClassDeclaration, file: GatewayFile): void {
  for (const one of file.source.getImportDeclarations()) file.context.imports.dropUnused(one.getModuleSpecifierValue());
  if (!file.project.decides(declaration)) {
    file.edits.remove(declaration);
    return;
  }
  file.context.todo(
    declaration,
    'who may connect is decided by `auth` and connectionGuards of PxlWebSocketModule; until then nobody is let in',
    ANCHOR,
  );
  file.edits.replace(declaration, commentedOut(declaration, ''));
  if (file.source.getStatements().every((one) => one === declaration || Node.isImportDeclaration(one)))
    file.edits.insertAfter(declaration, '\nexport {};');
}

function isOfSocketIo(adapter: Node, file: GatewayFile): boolean {
  if (Node.isNewExpression(adapter)) {
    const name = adapter.getExpression().getText();
    return name === 'IoAdapter' || file.project.isAdapter(file.project.types.classNamed(name));
  }
  if (!Node.isIdentifier(adapter)) return false;
  const [declaration] = adapter.getSymbol()?.getDeclarations() ?? [];
  const value = Node.isVariableDeclaration(declaration) ? declaration.getInitializer() : undefined;
  return value !== undefined && isOfSocketIo(value, file);
}

/** A variable with an adapter, and every statement that does something with it. */
function removeVariable(name: Node, file: GatewayFile): void {
  if (!Node.isIdentifier(name)) return;
  const symbol = name.getSymbol();
  for (const one of file.source.getDescendants()) {
    if (!Node.isIdentifier(one) || one.getText() !== name.getText() || one.getSymbol() !== symbol) continue;
    const statement = one.getFirstAncestor((parent) => Node.isStatement(parent));
    if (statement && !Node.isBlock(statement)) file.edits.remove(statement);
  }
}
