import { Node, type CallExpression, type ClassDeclaration, type SourceFile } from '../ts-morph.js';
import { isGateway, Kinds } from './kinds.js';
import { KnownTypes } from './known-types.js';

const SOCKET_IO = /^(?:socket\.io|@nestjs\/platform-socket\.io|@socket\.io\/.*|@types\/socket\.io)$/;
const OTHER_ADAPTERS = /^(?:ws|@nestjs\/platform-ws|nestjs-pxl-websocket)$/;
/** The path of gateways without a namespace. */
export const DEFAULT_PATH = '/ws';

/** What the gateways of a project have to know of each other. Read once, before anything is changed. */
export class GatewayProject {
  static readonly #known = new WeakMap<readonly SourceFile[], GatewayProject>();

  readonly types: KnownTypes;
  /** Whether there is anything to rewrite: gateways of Socket.IO, or mentions of it. */
  readonly isOfSocketIo: boolean;
  readonly gateways: readonly ClassDeclaration[];
  readonly #kinds: Kinds;
  #root: { readonly module: ClassDeclaration | undefined } | undefined;

  static of(files: readonly SourceFile[]): GatewayProject {
    const known = this.#known.get(files) ?? new GatewayProject(files);
    this.#known.set(files, known);
    return known;
  }

  private constructor(readonly files: readonly SourceFile[]) {
    this.types = new KnownTypes(files);
    this.#kinds = new Kinds(this.types);
    const modules = files.flatMap((file) => file.getImportDeclarations().map((one) => one.getModuleSpecifierValue()));
    this.gateways = files
      .flatMap((file) => file.getClasses())
      .filter((one) => one.getDecorator('WebSocketGateway') !== undefined);
    const isOfNest = this.gateways.length > 0 || modules.some((module) => module.startsWith('@nestjs/'));
    // A server of its own, without Nest, is written anew.
    const isOther = !isOfNest && files.some((file) => /\bnew (?:Server|\w+\.Server)\(/.test(file.getText()));
    const mentions = !isOther && modules.some((module) => SOCKET_IO.test(module));
    // Nest takes Socket.IO where nothing else is said.
    this.isOfSocketIo =
      mentions || (this.gateways.length > 0 && !modules.some((module) => OTHER_ADAPTERS.test(module)));
  }

  /** The property of a class, its own or inherited, that holds Socket.IO's server. */
  serverOf(owner: ClassDeclaration, depth = 0): string | undefined {
    const parameters = owner
      .getConstructors()
      .flatMap((one) => one.getParameters().filter((parameter) => parameter.isParameterProperty()));
    for (const member of [...owner.getInstanceProperties(), ...parameters]) {
      if (!Node.isPropertyDeclaration(member) && !Node.isParameterDeclaration(member)) continue;
      if (this.#kinds.ofDeclared(member) === 'server') return member.getName();
    }
    const base = this.types.classNamed(owner.getExtends()?.getExpression().getText());
    return base && depth < 8 ? this.serverOf(base, depth + 1) : undefined;
  }

  /** The paths of all gateways; more than one: what a server sends reaches the clients of its own path. */
  get paths(): ReadonlySet<string> {
    return new Set(this.gateways.map((one) => this.pathOf(one)));
  }

  /** The path of a gateway: its namespace's. */
  pathOf(gateway: ClassDeclaration): string {
    const options = gatewayOptions(gateway);
    const namespace = namespaceOf(gateway);
    if (namespace !== undefined && namespace !== '' && namespace !== '/') return `/${namespace.replace(/^\/+/, '')}`;
    return textOf(propertyOf(options, 'path')) ?? DEFAULT_PATH;
  }

  /** The path of a namespace; undefined where no gateway has it. */
  pathOfNamespace(namespace: string): string | undefined {
    const name = namespace.replace(/^\/+/, '');
    const owner = this.gateways.find((one) => (namespaceOf(one) ?? '').replace(/^\/+/, '') === name);
    return owner && this.pathOf(owner);
  }

  /** The project's own adapters of Socket.IO. */
  get adapters(): readonly ClassDeclaration[] {
    return this.files.flatMap((file) => file.getClasses()).filter((one) => this.isAdapter(one));
  }

  isAdapter(declaration: ClassDeclaration | undefined, depth = 0): boolean {
    const base = declaration?.getExtends()?.getExpression().getText();
    if (base === undefined || depth > 8) return false;
    return base === 'IoAdapter' || this.isAdapter(this.types.classNamed(base), depth + 1);
  }

  /** Whether an adapter looks at who connects. */
  decides(adapter: ClassDeclaration): boolean {
    return /\.use\(|\ballowRequest\b|\bjwt|verify/i.test(adapter.getText());
  }

  /**
   * The paths where something decides who may connect before a gateway hears of a client: a middleware of a server, or an adapter.
   */
  get guardedPaths(): ReadonlySet<string> {
    const { paths } = this;
    if (paths.size < 2 || this.adapters.some((one) => this.decides(one)))
      return this.#hasMiddleware() ? paths : new Set();
    const guarded = new Set<string>();
    for (const gateway of this.gateways) {
      const isGuarded =
        propertyOf(gatewayOptions(gateway), 'allowRequest') !== undefined || this.#middlewaresIn(gateway).length > 0;
      if (isGuarded) guarded.add(this.pathOf(gateway));
    }
    return guarded.size > 0 || !this.#hasMiddleware() ? guarded : paths;
  }

  #hasMiddleware(): boolean {
    if (this.adapters.some((one) => this.decides(one))) return true;
    if (this.gateways.some((one) => propertyOf(gatewayOptions(one), 'allowRequest') !== undefined)) return true;
    return this.files.some((file) => this.#middlewaresIn(file).length > 0);
  }

  #middlewaresIn(part: Node): Node[] {
    return callsIn(part)
      .filter(({ call, base }) => methodOf(call) === 'use' && this.#kinds.of(base) === 'server')
      .map(({ call }) => call);
  }

  /** Whether something is sent to rooms whose names are no literals: it may be meant for the room of a client's id. */
  get sendsToUnknownRooms(): boolean {
    return this.files
      .flatMap((file) => callsIn(file))
      .some(({ call, base }) => {
        const [room] = call.getArguments();
        if (!room || !/^(?:to|in)$/.test(methodOf(call))) return false;
        const isName = [room, ...(Node.isArrayLiteralExpression(room) ? room.getElements() : [])].some((one) =>
          isPlainName(one),
        );
        return isName && this.#begins(base);
      });
  }

  /** The module that the application is made of; undefined where this library's is imported already. */
  rootModule(): ClassDeclaration | undefined {
    this.#root ??= { module: this.#findRoot() };
    return this.#root.module;
  }

  /** Whether there are gateways, and nothing imports this library's module. */
  get lacksModule(): boolean {
    return this.gateways.length > 0 && !this.files.some((file) => /\bPxlWebSocketModule\b/.test(file.getText()));
  }

  #findRoot(): ClassDeclaration | undefined {
    if (!this.lacksModule) return undefined;
    const [first] = this.rootModules();
    const fallback = this.types.classNamed('AppModule');
    return first ?? (fallback?.getDecorator('Module') ? fallback : undefined);
  }

  /** The modules that applications of the project are made of, as `NestFactory.create` names them. */
  rootModules(): ClassDeclaration[] {
    return this.files.flatMap((file) => {
      if (/\.(?:spec|test|e2e-spec)\.[cm]?[jt]sx?$/.test(file.getFilePath())) return [];
      const [, name] = /NestFactory\.create(?:<[^>]*>)?\(\s*(\w+)/.exec(file.getText()) ?? [];
      const found = this.types.classNamed(name);
      return found?.getDecorator('Module') ? [found] : [];
    });
  }

  /** Whether a chain begins at a server or a socket. */
  #begins(chain: Node): boolean {
    let at: Node = chain;
    for (;;) {
      if (this.#kinds.of(at) !== undefined) return true;
      if (!Node.isCallExpression(at) && !Node.isPropertyAccessExpression(at)) return false;
      at = at.getExpression();
    }
  }

  /** The gateway around a node. */
  gatewayAround(node: Node): ClassDeclaration | undefined {
    const owner = node.getFirstAncestor((one) => Node.isClassDeclaration(one));
    return Node.isClassDeclaration(owner) && isGateway(owner) ? owner : undefined;
  }
}

/** The calls of methods in a part of a file. */
function callsIn(part: Node): { call: CallExpression; base: Node }[] {
  return part.getDescendants().flatMap((call) => {
    if (!Node.isCallExpression(call)) return [];
    const called = call.getExpression();
    return Node.isPropertyAccessExpression(called) ? [{ call, base: called.getExpression() }] : [];
  });
}

function methodOf(call: CallExpression): string {
  const called = call.getExpression();
  return Node.isPropertyAccessExpression(called) ? called.getName() : '';
}

/** A name that may be a client's id: no literal, no template, no `client.id`. */
function isPlainName(node: Node): boolean {
  if (Node.isPropertyAccessExpression(node)) return node.getName() !== 'id' && !/room/i.test(node.getName());
  return (Node.isIdentifier(node) && !/room|channel|group/i.test(node.getText())) || Node.isCallExpression(node);
}

/** The options of `@WebSocketGateway(port?, options?)`. */
export function gatewayOptions(gateway: ClassDeclaration): Node | undefined {
  const last = gateway.getDecorator('WebSocketGateway')?.getArguments().at(-1);
  return Node.isObjectLiteralExpression(last) ? last : undefined;
}

/** The value of a property of an object literal. */
export function propertyOf(object: Node | undefined, name: string): Node | undefined {
  if (!Node.isObjectLiteralExpression(object)) return undefined;
  const property = object.getProperty(name);
  const value = Node.isPropertyAssignment(property) ? property.getInitializer() : undefined;
  return name === 'namespace' ? onlyOf(value) : value;
}

/** The single element of a list; anything else as it is. */
export function onlyOf(value: Node | undefined): Node | undefined {
  if (!Node.isArrayLiteralExpression(value)) return value;
  const [first, ...others] = value.getElements();
  return others.length === 0 ? first : value;
}

/** The text of a literal. */
export function textOf(node: Node | undefined): string | undefined {
  return Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node) ? node.getLiteralText() : undefined;
}

/** As it stands in the options of a gateway. */
function namespaceOf(gateway: ClassDeclaration): string | undefined {
  return textOf(propertyOf(gatewayOptions(gateway), 'namespace'));
}
