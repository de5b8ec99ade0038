import { Node, SyntaxKind, type SourceFile } from '../ts-morph.js';
import { hasOtherSockets, SocketIoNames } from './socket-io-names.js';

/** What returns the socket, so that calls may follow each other. */
const CHAINED = [
  'on',
  'once',
  'off',
  'emit',
  'send',
  'connect',
  'open',
  'disconnect',
  'close',
  'compress',
  'timeout',
  'onAny',
  'offAny',
  'removeAllListeners',
  'removeListener',
];
/** Of React and Vue: what holds a value, and the field that it is in. */
const HOLDERS = ['useRef', 'createRef', 'ref', 'shallowRef'];
const HOLDER_TYPES = ['MutableRefObject', 'RefObject', 'Ref', 'ShallowRef'];
/** What gives back its argument, or what its argument returns. */
const WRAPPERS = ['useState', 'useMemo', 'markRaw', 'shallowReactive', 'toRaw'];
/** How people call a socket that comes from where its type cannot be seen. */
const LIKELY = /^(?:socket|[a-z]\w*Socket)$/;

/**
 * Tells which expressions of a project are sockets of Socket.IO's client. It follows declarations, assignments and returns
 * through the project's own files; the types of packages are not there.
 */
export class Sockets {
  readonly #names = new Map<SourceFile, SocketIoNames>();
  readonly #answers = new Map<Node, boolean>();
  readonly #guessed = new Map<SourceFile, Set<string>>();
  readonly #assignments = new Map<SourceFile, [left: Node, right: Node][]>();

  constructor(private readonly files: readonly SourceFile[]) {}

  namesIn(file: SourceFile): SocketIoNames {
    const names = this.#names.get(file) ?? new SocketIoNames(file);
    this.#names.set(file, names);
    return names;
  }

  /** What in a file is a socket by its name alone. */
  guessedIn(file: SourceFile): string[] {
    return [...(this.#guessed.get(file) ?? [])];
  }

  isSocket(node: Node | undefined): boolean {
    if (node === undefined) return false;
    const known = this.#answers.get(node);
    if (known !== undefined) return known;
    // While it is asked for, for what refers to itself.
    this.#answers.set(node, false);
    const answer = this.#ask(node);
    this.#answers.set(node, answer);
    return answer;
  }

  /** The `io` of a socket: its manager. */
  isManager(node: Node): boolean {
    if (Node.isPropertyAccessExpression(node)) return node.getName() === 'io' && this.isSocket(node.getExpression());
    if (!Node.isIdentifier(node)) return false;
    const made = declarationsOf(node).find((one) => Node.isVariableDeclaration(one));
    const value = Node.isVariableDeclaration(made) ? made.getInitializer() : undefined;
    return Node.isNewExpression(value) && this.namesIn(value.getSourceFile()).isManager(value.getExpression());
  }

  #ask(node: Node): boolean {
    if (Node.isParenthesizedExpression(node) || Node.isNonNullExpression(node) || Node.isAwaitExpression(node))
      return this.isSocket(node.getExpression());
    if (Node.isAsExpression(node) || Node.isSatisfiesExpression(node) || Node.isTypeAssertion(node))
      return this.#isSocketType(node.getTypeNode()) || this.isSocket(node.getExpression());
    if (Node.isConditionalExpression(node))
      return this.isSocket(node.getWhenTrue()) || this.isSocket(node.getWhenFalse());
    if (Node.isBinaryExpression(node)) {
      const operator = node.getOperatorToken().getText();
      const isChoice = ['??', '||', '=', '??=', '||='].includes(operator);
      return (
        (isChoice && this.isSocket(node.getLeft())) ||
        ((isChoice || operator === '&&') && this.isSocket(node.getRight()))
      );
    }
    if (Node.isCallExpression(node) || Node.isNewExpression(node))
      return this.#isMadeBy(node.getExpression(), node.getArguments());
    if (Node.isPropertyAccessExpression(node)) return this.#isMember(node, node.getExpression(), node.getName());
    if (Node.isIdentifier(node)) return this.#isNamed(node);
    return false;
  }

  #isMadeBy(callee: Node, args: readonly Node[]): boolean {
    if (this.namesIn(callee.getSourceFile()).isIo(callee)) return true;
    if (Node.isPropertyAccessExpression(callee)) {
      const owner = callee.getExpression();
      if (callee.getName() === 'socket' && this.isManager(owner)) return true;
      if (CHAINED.includes(callee.getName()) && this.isSocket(owner)) return true;
    }
    const [first] = args;
    if (WRAPPERS.includes(callee.getText()) && first) return this.isSocket(first) || this.#returnsSocket(first);
    return declarationsOf(callee).some((one) => this.#returnsSocket(one));
  }

  #isMember(node: Node, owner: Node, name: string): boolean {
    if (name === 'volatile' && this.isSocket(owner)) return true;
    if ((name === 'current' || name === 'value') && this.#isHolder(owner)) return true;
    const declarations = declarationsOf(node);
    if (declarations.some((one) => this.#isDeclared(one))) return true;
    if (this.#assigned(node).some((right) => this.isSocket(right))) return true;
    return declarations.length === 0 && LIKELY.test(name) && owner.getText() === 'this' && this.#mayGuess(node);
  }

  #isNamed(node: Node): boolean {
    const declarations = declarationsOf(node);
    if (declarations.some((one) => this.#isDeclared(one))) return true;
    if (this.#assigned(node).some((right) => this.isSocket(right))) return true;
    // A component's property, a context, a store: what comes out of them has no type here.
    const isOpen = declarations.every(
      (one) =>
        Node.isImportSpecifier(one) ||
        Node.isImportClause(one) ||
        (Node.isBindingElement(one) && isUntyped(one)) ||
        (Node.isParameterDeclaration(one) && !one.getTypeNode() && !isOfListener(one)) ||
        (Node.isVariableDeclaration(one) && /^(?:use|inject)/.test(one.getInitializer()?.getText() ?? '')),
    );
    return isOpen && LIKELY.test(node.getText()) && this.#mayGuess(node);
  }

  /** `open().then((socket) => …)`, where `open` promises a socket. */
  #isAwaited(declaration: Node): boolean {
    const handler = declaration.getParent();
    const call = handler?.getParent();
    if (!Node.isArrowFunction(handler) || !Node.isCallExpression(call)) return false;
    if (call.getArguments()[0] !== handler || handler.getParameters()[0] !== declaration) return false;
    const then = call.getExpression();
    return Node.isPropertyAccessExpression(then) && then.getName() === 'then' && this.isSocket(then.getExpression());
  }

  #isDeclared(declaration: Node): boolean {
    if (
      Node.isVariableDeclaration(declaration) ||
      Node.isPropertyDeclaration(declaration) ||
      Node.isParameterDeclaration(declaration)
    )
      return (
        this.#isSocketType(declaration.getTypeNode()) ||
        this.isSocket(declaration.getInitializer()) ||
        this.#isAwaited(declaration)
      );
    if (Node.isPropertySignature(declaration)) return this.#isSocketType(declaration.getTypeNode());
    if (Node.isPropertyAssignment(declaration)) return this.isSocket(declaration.getInitializer());
    if (Node.isShorthandPropertyAssignment(declaration)) {
      const value = declaration.getValueSymbol()?.getDeclarations() ?? [];
      return value.some((one) => one !== declaration && this.#isDeclared(one));
    }
    if (Node.isGetAccessorDeclaration(declaration)) return this.#returnsSocket(declaration);
    if (Node.isExportAssignment(declaration)) return this.isSocket(declaration.getExpression());
    if (Node.isBindingElement(declaration)) return this.#isTakenOut(declaration);
    return false;
  }

  /** `const [socket, setSocket] = useState(…)`, `const { socket } = useSocket()`, `({ socket }: Props) => …`. */
  #isTakenOut(element: Node & { getName(): string; getPropertyNameNode(): Node | undefined }): boolean {
    const pattern = element.getParentOrThrow();
    const holder = pattern.getParentOrThrow();
    if (!Node.isVariableDeclaration(holder) && !Node.isParameterDeclaration(holder)) return false;
    const given = holder.getInitializer();
    const value = Node.isAwaitExpression(given) ? given.getExpression() : given;
    if (Node.isArrayBindingPattern(pattern)) {
      const [first, setter] = pattern.getElements();
      if (first !== element || !Node.isCallExpression(value)) return false;
      if (this.isSocket(value) || value.getTypeArguments().some((type) => this.#isSocketType(type))) return true;
      return Node.isBindingElement(setter) && this.#isSetBy(setter);
    }
    const name = element.getPropertyNameNode()?.getText() ?? element.getName();
    if (this.#hasSocket(holder.getTypeNode(), name)) return true;
    if (!Node.isCallExpression(value)) return false;
    return declarationsOf(value.getExpression()).some((made) => this.#returnsWith(made, name));
  }

  #isSetBy(setter: Node & { getName(): string }): boolean {
    const name = setter.getName();
    return setter
      .getSourceFile()
      .getDescendantsOfKind(SyntaxKind.CallExpression)
      .some((call) => call.getExpression().getText() === name && call.getArguments().some((one) => this.isSocket(one)));
  }

  /** Whether what a function returns has a socket under a name. */
  #returnsWith(made: Node, name: string): boolean {
    const body = functionOf(made);
    if (!body) return false;
    if (this.#hasSocket(body.getReturnTypeNode(), name)) return true;
    return returned(body).some((value) => {
      const object = Node.isParenthesizedExpression(value) ? value.getExpression() : value;
      if (!Node.isObjectLiteralExpression(object)) return false;
      const property = object.getProperty(name);
      return property !== undefined && this.#isDeclared(property);
    });
  }

  #returnsSocket(made: Node): boolean {
    const body = functionOf(made);
    if (!body) return false;
    return this.#isSocketType(body.getReturnTypeNode()) || returned(body).some((value) => this.isSocket(value));
  }

  /** Whether a type of an object has a socket under a name. */
  #hasSocket(type: Node | undefined, name: string): boolean {
    if (Node.isTypeReference(type) && type.getTypeName().getText() === 'Promise')
      return this.#hasSocket(type.getTypeArguments()[0], name);
    const owners = Node.isTypeReference(type) ? declarationsOf(type.getTypeName()) : type ? [type] : [];
    return owners.some((owner) => {
      const members = Node.isTypeAliasDeclaration(owner) ? owner.getTypeNode() : owner;
      if (!Node.isInterfaceDeclaration(members) && !Node.isTypeLiteral(members)) return false;
      return this.#isSocketType(members.getProperty(name)?.getTypeNode());
    });
  }

  #isSocketType(type: Node | undefined): boolean {
    if (!type) return false;
    if (Node.isUnionTypeNode(type)) return type.getTypeNodes().some((one) => this.#isSocketType(one));
    if (Node.isParenthesizedTypeNode(type)) return this.#isSocketType(type.getTypeNode());
    const names = this.namesIn(type.getSourceFile());
    if (Node.isTypeQuery(type)) return names.isSocket(type.getExprName()) || this.isSocket(type.getExprName());
    if (!Node.isTypeReference(type)) return false;
    const name = type.getTypeName();
    if (names.isSocket(name)) return true;
    const [inner] = type.getTypeArguments();
    if (name.getText() === 'ReturnType' && Node.isTypeQuery(inner)) {
      const made = inner.getExprName();
      return names.isIo(made) || declarationsOf(made).some((one) => this.#returnsSocket(one));
    }
    if (name.getText() === 'Promise') return this.#isSocketType(inner);
    return declarationsOf(name).some(
      (one) => Node.isTypeAliasDeclaration(one) && this.#isSocketType(one.getTypeNode()),
    );
  }

  /** `useRef<Socket>()`, `ref(io(…))`. */
  #isHolder(node: Node): boolean {
    return declarationsOf(node).some((one) => {
      if (!Node.isVariableDeclaration(one) && !Node.isPropertyDeclaration(one) && !Node.isParameterDeclaration(one))
        return false;
      const type = one.getTypeNode();
      if (
        Node.isTypeReference(type) &&
        HOLDER_TYPES.includes(
          type
            .getTypeName()
            .getText()
            .replace(/^React\./, ''),
        )
      )
        return type.getTypeArguments().some((inner) => this.#isSocketType(inner));
      const value = one.getInitializer();
      if (
        !Node.isCallExpression(value) ||
        !HOLDERS.includes(
          value
            .getExpression()
            .getText()
            .replace(/^React\./, ''),
        )
      )
        return false;
      return (
        [...value.getTypeArguments()].some((inner) => this.#isSocketType(inner)) ||
        value.getArguments().some((inner) => this.isSocket(inner))
      );
    });
  }

  /** What the same file puts into this place. */
  #assigned(node: Node): Node[] {
    const file = node.getSourceFile();
    let pairs = this.#assignments.get(file);
    if (!pairs) {
      const all = file.getDescendantsOfKind(SyntaxKind.BinaryExpression);
      pairs = all
        .filter((one) => /^(?:\?\?|\|\|)?=$/.test(one.getOperatorToken().getText()))
        .map((one) => [one.getLeft(), one.getRight()]);
      this.#assignments.set(file, pairs);
    }
    const text = node.getText().replace(/[!?]/g, '');
    return pairs.filter(([left]) => left.getText() === text).map(([, right]) => right);
  }

  /** Whether sockets here are likely those of the client. */
  #mayGuess(node: Node): boolean {
    const file = node.getSourceFile();
    if (hasOtherSockets(file) || !this.files.some((one) => this.namesIn(one).areImported)) return false;
    this.#guessed.set(file, (this.#guessed.get(file) ?? new Set()).add(node.getText()));
    return true;
  }
}

const LISTENING = ['on', 'once', 'addListener', 'prependListener', 'createServer', 'createConnection', 'connect'];

/** Whether a parameter is what some emitter gives its listeners: the sockets of Node's servers come so. */
function isOfListener(parameter: Node): boolean {
  const call = parameter.getParent()?.getParent();
  if (!Node.isCallExpression(call)) return false;
  const callee = call.getExpression();
  return LISTENING.includes(Node.isPropertyAccessExpression(callee) ? callee.getName() : callee.getText());
}

/** Whether nothing says what is taken out: no type, and no value but null. */
function isUntyped(element: Node): boolean {
  const holder = element.getParentOrThrow().getParent();
  if (Node.isParameterDeclaration(holder)) return holder.getTypeNode() === undefined;
  const given = Node.isVariableDeclaration(holder) ? holder.getInitializer() : undefined;
  const value = Node.isAwaitExpression(given) ? given.getExpression() : given;
  if (!Node.isCallExpression(value) || value.getTypeArguments().length > 0) return false;
  return (
    value.getExpression().getText() !== 'useState' ||
    /^(?:|null|undefined)$/.test(value.getArguments()[0]?.getText() ?? '')
  );
}

type FunctionNode = Node & { getReturnTypeNode(): Node | undefined; getBody(): Node | undefined };

/** The function that a declaration is, or that it is initialized with. */
function functionOf(node: Node): FunctionNode | undefined {
  if (Node.isVariableDeclaration(node) || Node.isPropertyDeclaration(node) || Node.isPropertyAssignment(node)) {
    const value = node.getInitializer();
    return value && functionOf(value);
  }
  if (Node.isCallExpression(node))
    return node
      .getArguments()
      .map(functionOf)
      .find((one) => one !== undefined);
  if (Node.isExportAssignment(node)) return functionOf(node.getExpression());
  if (
    Node.isArrowFunction(node) ||
    Node.isFunctionExpression(node) ||
    Node.isFunctionDeclaration(node) ||
    Node.isMethodDeclaration(node) ||
    Node.isGetAccessorDeclaration(node)
  )
    return node;
  return undefined;
}

/** What a function returns, without the functions inside of it. */
function returned(made: FunctionNode): Node[] {
  const body = made.getBody();
  if (!body) return [];
  if (!Node.isBlock(body)) return [body];
  const values: Node[] = [];
  body.forEachDescendant((node, traversal) => {
    if (Node.isFunctionLikeDeclaration(node) || Node.isFunctionExpression(node) || Node.isArrowFunction(node))
      traversal.skip();
    else if (Node.isReturnStatement(node)) values.push(...[node.getExpression()].filter((one) => one !== undefined));
  });
  return values;
}

/** Where a name is declared, also in another file of the project. */
export function declarationsOf(node: Node): Node[] {
  const symbol = node.getSymbol();
  return (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
}
