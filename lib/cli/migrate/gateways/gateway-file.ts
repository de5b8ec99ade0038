import type { MigrationContext } from '../transform.js';
import { Node, SyntaxKind, type CallExpression, type ClassDeclaration, type SourceFile } from '../ts-morph.js';
import { Kinds } from './kinds.js';
import { isMetadata } from './socket-properties.js';
import type { GatewayProject } from './gateway-project.js';

export const LIBRARY = 'nestjs-pxl-websocket';

/** What a class can have injected, and what the property is called. */
const PROPERTIES = { WebSocketService: 'sockets', ClientManager: 'clientManager', RoomManager: 'roomManager' } as const;
export type Service = keyof typeof PROPERTIES;

/** One file while its gateways are rewritten: what the rules need of it. */
export class GatewayFile {
  readonly kinds: Kinds;
  readonly edits: MigrationContext['edits'];
  readonly #injected = new Map<ClassDeclaration, Map<Service, string>>();
  #metadataType: string | undefined;
  #readsMetadata: boolean | undefined;

  constructor(
    readonly source: SourceFile,
    readonly context: MigrationContext,
    readonly project: GatewayProject,
  ) {
    this.kinds = new Kinds(project.types);
    this.edits = context.edits;
  }

  text(node: Node): string {
    return this.edits.textOf(node);
  }

  use(name: string, { type = false } = {}): void {
    this.context.imports.add(LIBRARY, name, { type });
  }

  /** Leaves a statement as a comment, for what has no counterpart and would not compile; other nodes stay as they are. */
  leave(node: Node, text: string, anchor: string): void {
    const statement = node.getFirstAncestor((one) => Node.isStatement(one));
    if (!Node.isExpressionStatement(statement) || !isWholeLine(statement, this.edits)) {
      this.context.todo(node, text, anchor);
      return;
    }
    this.context.todo(statement, text, anchor);
    this.edits.replace(statement, commentedOut(statement, this.edits.indentAt(statement.getStart())));
  }

  /**
   * How a node gets at a service: a property of its class, which is put there where it is missing; undefined outside of
   * classes that Nest makes.
   */
  service(node: Node, name: Service): string | undefined {
    const given = name === 'WebSocketService' ? this.#serverAround(node) : undefined;
    if (given !== undefined) return given;
    const owner = classAround(node);
    if (!owner) return undefined;
    if (name === 'WebSocketService') {
      const server = this.project.serverOf(owner);
      if (server !== undefined) return `this.${server}`;
    }
    if (!owner.getDecorators().some((one) => MADE_BY_NEST.has(one.getName()))) return undefined;
    const services = this.#injected.get(owner) ?? new Map<Service, string>();
    this.#injected.set(owner, services);
    let property = services.get(name);
    if (property === undefined) {
      property = freeName(owner, PROPERTIES[name]);
      services.set(name, property);
      this.#inject(owner, name, property);
    }
    return `this.${property}`;
  }

  /** Whether the application keeps data of its own with clients, in this file. */
  get readsMetadata(): boolean {
    return (this.#readsMetadata ??= this.source.getDescendants().some((one) => isMetadata(one, this.kinds)));
  }

  /** The type of a client whose `metadata` is read as any, as Socket.IO's `socket.data` is. */
  metadataType(): string {
    if (this.#metadataType === undefined) {
      const taken = new Set(
        this.source
          .getDescendants()
          .filter((one) => Node.isIdentifier(one))
          .map((one) => one.getText()),
      );
      const name = ['Client', 'SocketClient', 'WsClientWithData'].find((one) => !taken.has(one)) ?? 'AnyDataWsClient';
      const after = this.source.getImportDeclarations().at(-1);
      const text = `/** A client; the application keeps data of its own in \`metadata\`. */\ntype ${name} = WsClient & { readonly metadata: any };`;
      // Behind the line of the last import, which may go itself.
      this.edits.insert(after ? this.edits.lineAfter(after.getEnd()) : 0, after ? `\n${text}\n` : `${text}\n\n`);
      this.#metadataType = name;
    }
    return this.#metadataType;
  }

  /** The parameter of a function around a node that is a server. */
  #serverAround(node: Node): string | undefined {
    for (const one of node.getAncestors()) {
      const isFunction = Node.isFunctionDeclaration(one) || Node.isArrowFunction(one) || Node.isMethodDeclaration(one);
      if (!isFunction || (Node.isMethodDeclaration(one) && one.getName() === 'afterInit')) continue;
      const found = one.getParameters().find((parameter) => this.kinds.ofDeclared(parameter) === 'server');
      if (found) return found.getName();
    }
    return undefined;
  }

  #inject(owner: ClassDeclaration, name: Service, property: string): void {
    this.use(name);
    this.context.imports.add('@nestjs/common', 'Inject');
    const [first] = owner.getMembers();
    const indent = first ? this.edits.indentAt(first.getStart()) : '  ';
    const text = `\n${indent}@Inject(${name}) private readonly ${property}!: ${name};${first ? '\n' : ''}`;
    const brace = owner.getFirstChildByKindOrThrow(SyntaxKind.OpenBraceToken);
    this.edits.insertAfter(brace, text);
  }
}

const MADE_BY_NEST: ReadonlySet<string> = new Set([
  'WebSocketGateway',
  'Injectable',
  'Controller',
  'Resolver',
  'Catch',
  'Processor',
  'CommandHandler',
  'EventsHandler',
  'QueryHandler',
]);

/** The class whose `this` a node has. */
function classAround(node: Node): ClassDeclaration | undefined {
  for (const one of node.getAncestors()) {
    if (Node.isClassDeclaration(one)) return one;
    if (Node.isFunctionDeclaration(one) || Node.isFunctionExpression(one)) return undefined;
    if (Node.isMethodDeclaration(one) && (one.isStatic() || !Node.isClassDeclaration(one.getParent())))
      return undefined;
  }
  return undefined;
}

function freeName(owner: ClassDeclaration, name: string): string {
  const taken = new Set(owner.getMembers().map((one) => (Node.hasName(one) ? one.getName() : '')));
  for (const parameter of owner.getConstructors().flatMap((one) => one.getParameters())) taken.add(parameter.getName());
  let free: string = name;
  while (taken.has(free)) free = `pxl${free[0]?.toUpperCase() ?? ''}${free.slice(1)}`;
  return free;
}

function isWholeLine(statement: Node, edits: MigrationContext['edits']): boolean {
  const start = statement.getStart();
  return start === edits.lineStart(start) + edits.indentAt(start).length;
}

/** A node's lines as a comment, with the white space around it as it is. */
export function commentedOut(node: Node, indent: string): string {
  const [first = '', ...lines] = node.getText().split('\n');
  const others = lines.map(
    (line) => `${indent}// ${line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()}`,
  );
  return [`// ${first}`, ...others].join('\n');
}

/** Whether a call's arguments are all there is to it: nothing spread. */
export function hasPlainArguments(call: CallExpression): boolean {
  return call.getArguments().every((one) => !Node.isSpreadElement(one));
}
