import { Node, type Expression } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';

/** What has no counterpart, and needs none. */
const NEEDLESS = [
  'transports',
  'upgrade',
  'rememberUpgrade',
  'forceNew',
  'multiplex',
  'withCredentials',
  'timestampRequests',
  'timestampParam',
  'tryAllTransports',
  'randomizationFactor',
  'closeOnBeforeunload',
  'forceBase64',
  'perMessageDeflate',
  'addTrailingSlash',
  'force new connection',
  'secure',
  'port',
  'hostname',
  'jsonp',
  'path',
  'autoConnect',
  'protocols',
  'enablesXDR',
  'useNativeTimers',
  'autoUnref',
];

/** What the options of io() become. */
export interface ClientOptions {
  /** `name: value`, in the order of the options they come from. */
  readonly options: readonly string[];
  /** The code of an object or of `URLSearchParams` that goes into the url's query. */
  readonly query: string | undefined;
  /** The literal `path` of the options. */
  readonly path: string | undefined;
  /** False: io() was not to connect at once. */
  readonly connects: boolean;
}

/** Reads the second argument of io(), or the first where it is no address. */
export function readOptions(given: Node | undefined, client: ClientFile): ClientOptions {
  const options: string[] = [];
  const reconnect: string[] = [];
  const query: string[] = [];
  let path: string | undefined;
  let connects = true;
  const object = literalOf(given);
  if (given && !object)
    client.todo(given, `write the options of ${shortened(given)} as the client has them`, 'options-of-the-client');
  for (const property of object?.getProperties() ?? []) {
    const name = nameOf(property);
    const value = valueOf(property);
    if (name === undefined || !value) {
      client.todo(
        property,
        `write the options of ${shortened(property)} as the client has them`,
        'options-of-the-client',
      );
      continue;
    }
    const text = client.edits.textOf(value);
    if (name === 'auth') readAuth(value, options, query, client);
    else if (name === 'query') readQuery(value, options, query, client);
    else if (name === 'path') path = Node.isStringLiteral(value) ? value.getLiteralText() : undefined;
    else if (name === 'autoConnect') connects = text !== 'false';
    else if (name === 'reconnection') reconnect.push(text === 'false' ? 'false' : '');
    else if (name === 'reconnectionAttempts') reconnect.push(`attempts: ${text}`);
    else if (name === 'reconnectionDelay') reconnect.push(`minDelay: ${text}`);
    else if (name === 'reconnectionDelayMax') reconnect.push(`maxDelay: ${text}`);
    else if (name === 'timeout') options.push(`connectTimeout: ${text}`);
    else if (name === 'ackTimeout') options.push(`requestTimeout: ${text}`);
    else if (name === 'extraHeaders') readHeaders(value, options, client);
    else if (!NEEDLESS.includes(name)) client.todo(property, `there is no option ${name}`, 'options-of-the-client');
  }
  const isOff = reconnect.includes('false');
  const waits = reconnect.filter((one) => one !== '' && one !== 'false');
  if (isOff) options.push('reconnect: false');
  else if (waits.length > 0) options.push(`reconnect: { ${waits.join(', ')} }`);
  return { options, query: query.length > 0 ? query.join(', ') : undefined, path, connects };
}

function readAuth(value: Node, options: string[], query: string[], client: ClientFile): void {
  const isFunction = Node.isArrowFunction(value) || Node.isFunctionExpression(value);
  const object = isFunction ? givenToCallback(value) : literalOf(value);
  if (!object) {
    client.todo(
      value,
      'give the token as getToken: () => …, and what else the server asks for in the query of the url',
      'authentication',
    );
    return;
  }
  for (const property of object.getProperties()) {
    const name = nameOf(property);
    const inner = valueOf(property);
    if (name === undefined || !inner) client.todo(property, 'give the token as getToken: () => …', 'authentication');
    else if (/^(?:token|accessToken|access_token|jwt|authorization)$/i.test(name))
      options.push(`getToken: () => ${tokenOf(inner, client)}`);
    else {
      query.push(
        `${property.getText().startsWith('...') ? '...' : ''}${name}: ${client.edits.textOf(inner)}`.replace(
          new RegExp(`^(\\w+): \\1$`),
          '$1',
        ),
      );
      client.todo(
        property,
        `${name} travels in the url now, where logs may keep it: give a secret as getToken`,
        'authentication',
      );
    }
  }
}

function readQuery(value: Node, options: string[], query: string[], client: ClientFile): void {
  const object = literalOf(value);
  if (!object) {
    query.push(`...${client.edits.textOf(value)}`);
    return;
  }
  for (const property of object.getProperties()) {
    const name = nameOf(property);
    const inner = valueOf(property);
    if (name === 'token' && inner) options.push(`getToken: () => ${tokenOf(inner, client)}`, "tokenTo: 'query'");
    else query.push(client.edits.textOf(property));
  }
}

function readHeaders(value: Node, options: string[], client: ClientFile): void {
  for (const property of literalOf(value)?.getProperties() ?? []) {
    const inner = valueOf(property);
    if (nameOf(property)?.toLowerCase() === 'authorization' && inner)
      options.push(`getToken: () => ${tokenOf(inner, client)}`);
    else
      client.todo(
        property,
        'a browser sends no headers with a WebSocket: give this in the query of the url',
        'options-of-the-client',
      );
  }
  if (!literalOf(value))
    client.todo(
      value,
      'a browser sends no headers with a WebSocket: give the token as getToken: () => …',
      'options-of-the-client',
    );
}

/** The code of a token, without the word Bearer, which the client does not send. */
function tokenOf(value: Node, client: ClientFile): string {
  const text = client.edits.textOf(value);
  const bare = /^`Bearer \$\{([^{}]+)\}`$/.exec(text)?.[1] ?? /^(['"])Bearer \1 \+ (.+)$/.exec(text)?.[2];
  return Node.isObjectLiteralExpression(value) ? `(${text})` : (bare ?? text);
}

/** `(callback) => callback({ … })`. */
function givenToCallback(made: Node & { getParameters(): { getName(): string }[] }) {
  const name = made.getParameters()[0]?.getName();
  const call = made
    .getDescendants()
    .find((one) => Node.isCallExpression(one) && one.getExpression().getText() === name);
  return Node.isCallExpression(call) ? literalOf(call.getArguments()[0]) : undefined;
}

/** The object that an expression is, also where a constant of the same file names it. */
function literalOf(node: Node | undefined) {
  let inner = node;
  if (Node.isAsExpression(inner) || Node.isSatisfiesExpression(inner)) inner = inner.getExpression();
  if (Node.isIdentifier(inner)) {
    const [made] = inner.getSymbol()?.getDeclarations() ?? [];
    if (Node.isVariableDeclaration(made) && made.getSourceFile() === inner.getSourceFile())
      inner = made.getInitializer();
  }
  return Node.isObjectLiteralExpression(inner) ? inner : undefined;
}

function nameOf(property: Node): string | undefined {
  if (Node.isShorthandPropertyAssignment(property)) return property.getName();
  if (!Node.isPropertyAssignment(property)) return undefined;
  const name = property.getNameNode();
  return Node.isStringLiteral(name) ? name.getLiteralText() : Node.isIdentifier(name) ? name.getText() : undefined;
}

function valueOf(property: Node): Expression | undefined {
  if (Node.isShorthandPropertyAssignment(property)) return property.getNameNode();
  return Node.isPropertyAssignment(property) ? property.getInitializer() : undefined;
}

function shortened(node: Node): string {
  const text = node.getText().replace(/\s+/g, ' ');
  return text.length > 30 ? `${text.slice(0, 29)}…` : text;
}
