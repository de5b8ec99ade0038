import { Node, type ClassDeclaration, type SourceFile } from '../ts-morph.js';

/** What a value is to Socket.IO: the server, a client of this process or of any, or several of one of these. */
export type Kind = 'server' | 'socket' | 'remote' | 'sockets' | 'remotes';

const MODULE = 'socket.io';
const OF_MODULE: Readonly<Record<string, Kind>> = {
  Server: 'server',
  Namespace: 'server',
  ParentNamespace: 'server',
  Socket: 'socket',
  RemoteSocket: 'remote',
};
const COLLECTIONS: ReadonlySet<string> = new Set([
  'Array',
  'ReadonlyArray',
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'Record',
]);

/** What the types of a project say of its values: those of Socket.IO, and the project's own that are made of them. */
export class KnownTypes {
  readonly #classes = new Map<string, ClassDeclaration[]>();
  /** Of interfaces and types of the project that are sockets, by name. */
  readonly #own = new Map<string, Kind>();

  constructor(files: readonly SourceFile[]) {
    for (const declaration of files.flatMap((file) => file.getClasses())) {
      const name = declaration.getName() ?? '';
      this.#classes.set(name, [...(this.#classes.get(name) ?? []), declaration]);
    }
    // Twice, since one may be made of another that stands in a later file.
    for (let round = 0; round < 2; round++) for (const file of files) this.#learn(file);
  }

  /** The class of a name, where the project has one of that name alone. */
  classNamed(name: string | undefined): ClassDeclaration | undefined {
    const found = this.#classes.get(name ?? '') ?? [];
    return found.length === 1 ? found[0] : undefined;
  }

  /** What values of a type are. */
  kindOf(type: Node | undefined): Kind | undefined {
    if (!type) return undefined;
    if (Node.isUnionTypeNode(type) || Node.isIntersectionTypeNode(type)) {
      return type
        .getTypeNodes()
        .map((one) => this.kindOf(one))
        .find((kind) => kind !== undefined);
    }
    if (Node.isParenthesizedTypeNode(type)) return this.kindOf(type.getTypeNode());
    if (Node.isArrayTypeNode(type)) return severalOf(this.kindOf(type.getElementTypeNode()));
    if (!Node.isTypeReference(type) && !Node.isExpressionWithTypeArguments(type)) return undefined;
    const name = (Node.isTypeReference(type) ? type.getTypeName() : type.getExpression()).getText();
    if (name === 'Promise') return this.kindOf(type.getTypeArguments()[0]);
    if (COLLECTIONS.has(name)) return severalOf(this.kindOf(type.getTypeArguments().at(-1)));
    return this.#own.get(name) ?? nameInModule(type.getSourceFile(), name);
  }

  #learn(file: SourceFile): void {
    for (const declared of file.getInterfaces()) {
      const kind = declared
        .getExtends()
        .map((one) => this.kindOf(one))
        .find((one) => one !== undefined);
      if (kind) this.#own.set(declared.getName(), kind);
    }
    for (const declared of file.getTypeAliases()) {
      const kind = this.kindOf(declared.getTypeNode());
      if (kind) this.#own.set(declared.getName(), kind);
    }
  }
}

/** What a name of a file stands for, where it comes from socket.io. */
export function nameInModule(file: SourceFile, name: string): Kind | undefined {
  for (const declaration of file.getImportDeclarations()) {
    if (declaration.getModuleSpecifierValue() !== MODULE) continue;
    const namespace = declaration.getNamespaceImport()?.getText() ?? declaration.getDefaultImport()?.getText();
    if (namespace !== undefined && name.startsWith(`${namespace}.`)) return own(name.slice(namespace.length + 1));
    const named = declaration
      .getNamedImports()
      .find((one) => (one.getAliasNode()?.getText() ?? one.getName()) === name);
    if (named) return own(named.getName());
  }
  return undefined;
}

function own(name: string): Kind | undefined {
  return Object.hasOwn(OF_MODULE, name) ? OF_MODULE[name] : undefined;
}

function severalOf(kind: Kind | undefined): Kind | undefined {
  return kind === 'socket' ? 'sockets' : kind === 'remote' ? 'remotes' : undefined;
}
