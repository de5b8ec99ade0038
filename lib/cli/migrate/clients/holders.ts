import { Node } from '../ts-morph.js';

/** The statement that keeps what a call makes, where another one may follow it, and the name it is kept under. */
export function holderOf(call: Node): { statement: Node; name: string } | undefined {
  let value: Node = call;
  let parent = value.getParent();
  while (Node.isParenthesizedExpression(parent) || Node.isAsExpression(parent) || Node.isNonNullExpression(parent))
    [value, parent] = [parent, parent.getParent()];
  let statement: Node | undefined;
  let name: string | undefined;
  if (Node.isVariableDeclaration(parent) && Node.isIdentifier(parent.getNameNode())) {
    [statement, name] = [parent.getVariableStatement(), parent.getName()];
  } else if (
    Node.isBinaryExpression(parent) &&
    parent.getOperatorToken().getText() === '=' &&
    parent.getRight() === value
  ) {
    const outer = parent.getParent();
    [statement, name] = [Node.isExpressionStatement(outer) ? outer : undefined, parent.getLeft().getText()];
  }
  const block = statement?.getParent();
  const isAmong =
    Node.isBlock(block) || Node.isSourceFile(block) || Node.isCaseClause(block) || Node.isModuleBlock(block);
  return statement && name !== undefined && isAmong ? { statement, name } : undefined;
}
