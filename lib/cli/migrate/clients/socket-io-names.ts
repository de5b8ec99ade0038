import { Node, type SourceFile } from '../ts-morph.js';

export const SOCKET_IO_CLIENT = 'socket.io-client';

const IO = ['io', 'connect', 'lookup', 'default'];
const OPTION_TYPES = ['ManagerOptions', 'SocketOptions'];

/** What a file calls the things of socket.io-client. */
export class SocketIoNames {
  /** What requires or imports the package while the program runs: `const { io } = require('socket.io-client')`. */
  readonly requires: Node[] = [];
  /** Whether `io`, where it is called, is what a page's script has left for all. */
  readonly isGlobal: boolean;
  readonly #ios = new Set<string>();
  /** Where the names of the package are declared. */
  readonly #declared = new Set<Node>();
  readonly #namespaces = new Set<string>();
  readonly #sockets = new Set<string>();
  readonly #managers = new Set<string>();
  readonly #options = new Set<string>();

  constructor(file: SourceFile) {
    for (const declaration of file.getImportDeclarations()) {
      if (declaration.getModuleSpecifierValue() !== SOCKET_IO_CLIENT) continue;
      const fallback = declaration.getDefaultImport();
      if (fallback !== undefined) this.#addNamespace(fallback.getText(), fallback.getParent());
      const namespace = declaration.getNamespaceImport();
      if (namespace !== undefined) this.#addNamespace(namespace.getText(), namespace.getParent());
      for (const one of declaration.getNamedImports())
        this.#add(one.getName(), one.getAliasNode()?.getText() ?? one.getName(), one);
    }
    file.forEachDescendant((node) => {
      if (Node.isVariableDeclaration(node)) this.#readRequire(node);
      else if (Node.isImportEqualsDeclaration(node) && /(['"])socket\.io-client\1/.test(node.getText())) {
        this.requires.push(node);
        this.#addNamespace(node.getName(), node);
      }
    });
    const isOwn = this.#ios.size > 0 || hasModule(file, SERVER);
    // A page gets `io` from a <script>.
    this.isGlobal = !isOwn && !declaresIo(file);
    if (this.isGlobal) this.#ios.add('io');
  }

  /** Whether the package is named here; a page's script may use it without. */
  get areImported(): boolean {
    return this.#declared.size > 0;
  }

  /** Whether a call of this is io(…). */
  isIo(callee: Node): boolean {
    if (Node.isIdentifier(callee)) return this.#ios.has(callee.getText()) && this.#isOfPackage(callee);
    if (!Node.isPropertyAccessExpression(callee) || !IO.includes(callee.getName())) return false;
    const owner = callee.getExpression().getText();
    if (owner === 'window' || owner === 'globalThis') return callee.getName() === 'io';
    return (this.#namespaces.has(owner) || this.#ios.has(owner)) && this.#isOfPackage(callee.getExpression());
  }

  isManager(callee: Node): boolean {
    return this.#names(callee, 'Manager', this.#managers);
  }

  /** Whether a name of a type, or of a class, is Socket of the client. */
  isSocket(name: Node): boolean {
    return this.#names(name, 'Socket', this.#sockets) || name.getText() === 'SocketIOClient.Socket';
  }

  isOptions(name: Node): boolean {
    return OPTION_TYPES.some((one) => this.#names(name, one, this.#options));
  }

  /** Whether a name means the package here, and no parameter or variable that hides it. */
  #isOfPackage(name: Node): boolean {
    const declarations = name.getSymbol()?.getDeclarations() ?? [];
    return declarations.length === 0 || declarations.some((one) => this.#declared.has(one));
  }

  #names(node: Node, exported: string, own: ReadonlySet<string>): boolean {
    const text = node.getText();
    return own.has(text) || [...this.#namespaces].some((namespace) => text === `${namespace}.${exported}`);
  }

  #addNamespace(name: string, declaration: Node): void {
    this.#declared.add(declaration);
    this.#namespaces.add(name);
    this.#ios.add(name);
  }

  #add(exported: string, local: string, declaration: Node): void {
    this.#declared.add(declaration);
    if (IO.includes(exported)) this.#ios.add(local);
    if (exported === 'Socket') this.#sockets.add(local);
    if (exported === 'Manager') this.#managers.add(local);
    if (OPTION_TYPES.includes(exported)) this.#options.add(local);
  }

  #readRequire(declaration: Node & { getNameNode(): Node; getInitializer(): Node | undefined }): void {
    let value = declaration.getInitializer();
    let member: string | undefined;
    if (Node.isPropertyAccessExpression(value)) {
      member = value.getName();
      value = value.getExpression();
    }
    if (Node.isAwaitExpression(value)) value = value.getExpression();
    if (!Node.isCallExpression(value) || !/^(?:require|import)$/.test(value.getExpression().getText())) return;
    const [module] = value.getArguments();
    if (!Node.isStringLiteral(module) || module.getLiteralText() !== SOCKET_IO_CLIENT) return;
    this.requires.push(declaration);
    const name = declaration.getNameNode();
    if (Node.isObjectBindingPattern(name)) {
      for (const one of name.getElements())
        this.#add(one.getPropertyNameNode()?.getText() ?? one.getName(), one.getName(), one);
    } else if (member === undefined) this.#addNamespace(name.getText(), declaration);
    else this.#add(member, name.getText(), declaration);
  }
}

/** The server of Socket.IO and Nest's gateways, where `io` and sockets are the server's. */
const SERVER = /^(?:socket\.io|@nestjs\/websockets)$/;
/** Where sockets are those of others too: Node's own, and those of ws. */
const OF_OTHERS = /^(?:(?:node:)?(?:net|tls|https?|http2|dgram)|ws|uWebSockets\.js|@nestjs\/core|fastify|express)$/;

/** Whether what is called a socket in a file may be another one than Socket.IO's client. */
export function hasOtherSockets(file: SourceFile): boolean {
  return hasModule(file, SERVER) || hasModule(file, OF_OTHERS);
}

/** Whether a file imports or requires a module of this name. */
function hasModule(file: SourceFile, name: RegExp): boolean {
  const imported = file.getImportDeclarations().map((one) => one.getModuleSpecifierValue());
  const required = [...file.getFullText().matchAll(/\b(?:require|import)\(\s*(['"])([^'"]+)\1/g)].map(
    ([, , one = '']) => one,
  );
  return [...imported, ...required].some((one) => name.test(one));
}

function declaresIo(file: SourceFile): boolean {
  return file.getDescendants().some((node) => {
    const isName = Node.isIdentifier(node) && node.getText() === 'io';
    const parent = isName ? node.getParent() : undefined;
    return (
      Node.isVariableDeclaration(parent) ||
      Node.isParameterDeclaration(parent) ||
      Node.isBindingElement(parent) ||
      Node.isImportSpecifier(parent) ||
      Node.isImportClause(parent) ||
      Node.isNamespaceImport(parent) ||
      Node.isImportEqualsDeclaration(parent) ||
      Node.isFunctionDeclaration(parent)
    );
  });
}
