import { Node, SyntaxKind } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { declarationsOf } from './sockets.js';

/** The path of an endpoint for which the application names none. */
const PATH = '/ws';

/**
 * The code of the url that io() was given: its namespace is a path here, and without one it is the module's.
 *
 * @param given undefined: the page's own address
 * @param enginePath the literal `path` of the options, which is the path where there is no namespace
 */
export function addressOf(given: Node | undefined, enginePath: string | undefined, client: ClientFile): string {
  const path = enginePath === undefined || /^\/socket\.io\/?$/.test(enginePath) ? PATH : enginePath.replace(/\/$/, '');
  if (given === undefined) {
    if (!client.isPage) client.todo(client.file, 'the url of the server is missing here', 'connecting');
    return `'${path}'`;
  }
  const quote = given.getText().startsWith('"') ? '"' : "'";
  if (Node.isStringLiteral(given) || Node.isNoSubstitutionTemplateLiteral(given))
    return quote + withPath(given.getLiteralText(), path) + quote;
  const text = client.edits.textOf(given);
  const tail = tailOf(given, new Set());
  if (tail === 'path') return text;
  if (tail === undefined && isFromElsewhere(given))
    client.todo(given, `name the path of the endpoint in this url: ${PATH}, or what was the namespace`, 'namespaces');
  return `new URL('${path}', ${text})`;
}

/** The literal url, with a path. */
function withPath(url: string, path: string): string {
  if (url === '' || url === '/') return path;
  const [, host = '', rest = ''] = /^((?:[a-z]+:)?\/\/[^/?#]*)?(.*)$/i.exec(url) ?? [];
  // `localhost:3000` and `api.example.com` have the page's protocol.
  if (host === '' && !rest.startsWith('/') && /^[\w.-]+(?::\d+)?(?:$|[/?#])/.test(rest))
    return withPath(`//${rest}`, path);
  const [, own = '', query = ''] = /^([^?#]*)(.*)$/.exec(rest) ?? [];
  return `${host}${own === '' || own === '/' ? path : own}${query}`;
}

/** Whether an address that is put together ends with a path: `path`, `host` where it is seen to have none, else undefined. */
function tailOf(node: Node, seen: Set<Node>): 'path' | 'host' | undefined {
  if (seen.has(node)) return undefined;
  seen.add(node);
  if (Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node))
    return tailOfText(node.getLiteralText());
  if (Node.isParenthesizedExpression(node) || Node.isAsExpression(node) || Node.isNonNullExpression(node))
    return tailOf(node.getExpression(), seen);
  if (Node.isBinaryExpression(node)) {
    const operator = node.getOperatorToken().getText();
    if (operator === '+') return tailOfPart(node.getRight(), () => tailOf(node.getLeft(), seen));
    return operator === '??' || operator === '||'
      ? (tailOf(node.getRight(), seen) ?? tailOf(node.getLeft(), seen))
      : undefined;
  }
  if (Node.isTemplateExpression(node)) {
    const last = node.getTemplateSpans().at(-1);
    const end = last?.getLiteral().getLiteralText() ?? '';
    if (end !== '') return end.startsWith('/') && end !== '/' ? 'path' : tailOfText(`http://h${end}`);
    // `${base}/${namespace}`
    const before = node.getTemplateSpans().at(-2)?.getLiteral().getLiteralText() ?? node.getHead().getLiteralText();
    return before.endsWith('/') && !before.endsWith('//') ? 'path' : 'host';
  }
  for (const one of declarationsOf(node)) {
    const value =
      Node.isVariableDeclaration(one) || Node.isPropertyDeclaration(one) || Node.isPropertyAssignment(one)
        ? (one.getInitializer() ?? assignedTo(one))
        : undefined;
    if (value) return tailOf(value, seen);
  }
  if (!Node.isCallExpression(node)) return undefined;
  for (const one of declarationsOf(node.getExpression())) {
    const [first] = [one, ...one.getDescendants()].flatMap((inner) => {
      if (Node.isReturnStatement(inner)) return inner.getExpression() ?? [];
      return Node.isArrowFunction(inner) && !Node.isBlock(inner.getBody()) ? inner.getBody() : [];
    });
    if (first) return tailOf(first, seen);
  }
  return undefined;
}

function tailOfPart(right: Node, left: () => 'path' | 'host' | undefined): 'path' | 'host' | undefined {
  if (!Node.isStringLiteral(right)) return left();
  return right.getLiteralText().startsWith('/') && right.getLiteralText() !== '/' ? 'path' : left();
}

function tailOfText(url: string): 'path' | 'host' {
  const path = /^(?:[a-z]+:)?\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? (url.startsWith('/') ? url : '');
  return path === '' || path === '/' ? 'host' : 'path';
}

/** What a variable or property that begins without a value is given first, in its own file. */
function assignedTo(declared: Node): Node | undefined {
  return declared
    .getSourceFile()
    .getDescendantsOfKind(SyntaxKind.BinaryExpression)
    .find(
      (one) =>
        one.getOperatorToken().getKind() === SyntaxKind.EqualsToken && declarationsOf(one.getLeft()).includes(declared),
    )
    ?.getRight();
}

/**
 * Whether what is put in comes from elsewhere: a parameter, or a variable without a value. The environment's addresses have no
 * namespace, as a rule.
 */
function isFromElsewhere(node: Node): boolean {
  return [node, ...node.getDescendantsOfKind(SyntaxKind.Identifier)].some((one) =>
    declarationsOf(one).some(
      (made) =>
        Node.isParameterDeclaration(made) ||
        ((Node.isVariableDeclaration(made) || Node.isPropertyDeclaration(made)) && !made.getInitializer()),
    ),
  );
}
