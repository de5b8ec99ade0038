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
  readonly #namespaces = new Set<string>();
  readonly #sockets = new Set<string>();
  readonly #managers = new Set<string>();
  readonly #options = new Set<string>();

  constructor(file: SourceFile) {
    for (const declaration of file.getImportDeclarations()) {
      if (declaration.getModuleSpecifierValue() !== SOCKET_IO_CLIENT) continue;
      const fallback = declaration.getDefaultImport()?.getText();
      if (fallback !== undefined) this.#addNamespace(fallback);
      const namespace = declaration.getNamespaceImport()?.getText();
      if (namespace !== undefined) this.#addNamespace(namespace);
      for (const one of declaration.getNamedImports())
        this.#add(one.getName(), one.getAliasNode()?.getText() ?? one.getName());
    }
    file.forEachDescendant((node) => {
      if (Node.isVariableDeclaration(node)) this.#readRequire(node);
      else if (Node.isImportEqualsDeclaration(node) && node.getText().includes(`'${SOCKET_IO_CLIENT}'`))
        this.#addNamespace(node.getName());
    });
    const isOwn =
      this.#ios.size > 0 || file.getImportDeclarations().some((one) => isServer(one.getModuleSpecifierValue()));
    // A page gets `io` from a <script>.
    this.isGlobal = !isOwn && !declaresIo(file);
    if (this.isGlobal) this.#ios.add('io');
  }

  /** Whether the package is named here; a page's script may use it without. */
  get areImported(): boolean {
    return (
      this.requires.length > 0 ||
      [this.#namespaces, this.#sockets, this.#managers, this.#options].some((names) => names.size > 0) ||
      [...this.#ios].some((name) => name !== 'io')
    );
  }

  /** Whether a call of this is io(…). */
  isIo(callee: Node): boolean {
    if (Node.isIdentifier(callee)) return this.#ios.has(callee.getText());
    if (!Node.isPropertyAccessExpression(callee) || !IO.includes(callee.getName())) return false;
    const owner = callee.getExpression().getText();
    return this.#namespaces.has(owner) || this.#ios.has(owner) || owner === 'window' || owner === 'globalThis';
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

  #names(node: Node, exported: string, own: ReadonlySet<string>): boolean {
    const text = node.getText();
    return own.has(text) || [...this.#namespaces].some((namespace) => text === `${namespace}.${exported}`);
  }

  #addNamespace(name: string): void {
    this.#namespaces.add(name);
    this.#ios.add(name);
  }

  #add(exported: string, local: string): void {
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
        this.#add(one.getPropertyNameNode()?.getText() ?? one.getName(), one.getName());
    } else if (member === undefined) this.#addNamespace(name.getText());
    else this.#add(member, name.getText());
  }
}

/** Whether a module is the server of Socket.IO or Nest's gateways, where `io` and sockets are the server's. */
export function isServer(module: string): boolean {
  return module === 'socket.io' || module === '@nestjs/websockets';
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
      Node.isFunctionDeclaration(parent)
    );
  });
}
