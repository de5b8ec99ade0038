import { Node, type ClassDeclaration } from '../ts-morph.js';
import type { Kind, KnownTypes } from './known-types.js';

const ELEMENT: Partial<Record<Kind, Kind>> = { sockets: 'socket', remotes: 'remote' };
/** Methods of lists and maps that call back with an element, and those that give one. */
const CALL_BACK: ReadonlySet<string> = new Set([
  'forEach',
  'map',
  'filter',
  'find',
  'some',
  'every',
  'flatMap',
  'findIndex',
  'sort',
]);
const GIVE_ONE: ReadonlySet<string> = new Set(['get', 'find', 'at', 'pop', 'shift']);
const GIVE_SEVERAL: ReadonlySet<string> = new Set(['values', 'filter', 'slice', 'from']);

/** What expressions of a project's gateways are to Socket.IO, found by types that are written, decorators, and where values come from. */
export class Kinds {
  readonly #known = new Map<Node, Kind | undefined>();

  constructor(private readonly types: KnownTypes) {}

  of(expression: Node | undefined): Kind | undefined {
    if (!expression) return undefined;
    if (!this.#known.has(expression)) {
      this.#known.set(expression, undefined); // what is made of itself is nothing
      this.#known.set(expression, this.#find(expression));
    }
    return this.#known.get(expression);
  }

  /** The class that the value of an expression is made of, where it is one of the project. */
  classOf(expression: Node): ClassDeclaration | undefined {
    if (Node.isThisExpression(expression)) return expression.getFirstAncestor((one) => Node.isClassDeclaration(one));
    const declared = this.#declarationOf(expression);
    if (Node.isClassDeclaration(declared)) return declared;
    const type = typeOf(declared);
    return Node.isTypeReference(type) ? this.types.classNamed(type.getTypeName().getText()) : undefined;
  }

  /** What a property, a parameter or a variable holds. */
  ofDeclared(declaration: Node): Kind | undefined {
    return this.#ofDeclaration(declaration);
  }

  #find(expression: Node): Kind | undefined {
    if (Node.isParenthesizedExpression(expression) || Node.isNonNullExpression(expression))
      return this.of(expression.getExpression());
    if (Node.isAwaitExpression(expression)) return this.of(expression.getExpression());
    if (Node.isAsExpression(expression) || Node.isSatisfiesExpression(expression)) {
      return this.types.kindOf(expression.getTypeNode()) ?? this.of(expression.getExpression());
    }
    if (Node.isConditionalExpression(expression)) {
      const kind = this.of(expression.getWhenTrue());
      return kind === this.of(expression.getWhenFalse()) ? kind : undefined;
    }
    if (Node.isBinaryExpression(expression)) {
      const isChoice = ['??', '||'].includes(expression.getOperatorToken().getText());
      return isChoice ? (this.of(expression.getLeft()) ?? this.of(expression.getRight())) : undefined;
    }
    if (Node.isArrayLiteralExpression(expression)) {
      const [first] = expression.getElements();
      const kind = Node.isSpreadElement(first) ? this.of(first.getExpression()) : undefined;
      return elementOf(kind) && kind;
    }
    if (Node.isCallExpression(expression)) return this.#ofCall(expression.getExpression(), expression);
    if (Node.isElementAccessExpression(expression)) return elementOf(this.of(expression.getExpression()));
    if (Node.isPropertyAccessExpression(expression)) {
      const [base, name] = [this.of(expression.getExpression()), expression.getName()];
      if (base === 'server')
        return name === 'sockets' ? (isMapOfSockets(expression, this) ? 'sockets' : 'server') : undefined;
      if (base === 'socket') return name === 'nsp' || name === 'server' ? 'server' : undefined;
    }
    return this.#ofDeclaration(this.#declarationOf(expression));
  }

  #ofCall(called: Node, call: Node): Kind | undefined {
    if (!Node.isPropertyAccessExpression(called)) return this.types.kindOf(returnTypeOf(this.#declarationOf(called)));
    const name = called.getName();
    const base = this.of(called.getExpression());
    if (name === 'getClient' && Node.isCallExpression(call)) {
      const [type] = call.getTypeArguments();
      return type ? this.types.kindOf(type) : 'socket';
    }
    if (base === 'server' && name === 'of') return 'server';
    if (name === 'fetchSockets' && this.#isOfServer(called.getExpression())) return 'remotes';
    if (GIVE_ONE.has(name) && elementOf(base)) return elementOf(base);
    if (GIVE_SEVERAL.has(name) && elementOf(base)) return base;
    if (name === 'from' && Node.isCallExpression(call)) return this.of(call.getArguments()[0]);
    return this.types.kindOf(returnTypeOf(this.#declarationOf(called)));
  }

  /** Whether a chain begins at a server or a socket: `this.server.in('tea')`. */
  #isOfServer(chain: Node): boolean {
    let at: Node = chain;
    for (;;) {
      const kind = this.of(at);
      if (kind === 'server' || kind === 'socket') return true;
      if (Node.isCallExpression(at) || Node.isPropertyAccessExpression(at)) at = at.getExpression();
      else return false;
    }
  }

  /** Where a name or a property is declared: a parameter, a variable, a member of a class of the project. */
  #declarationOf(expression: Node): Node | undefined {
    if (Node.isIdentifier(expression)) {
      const [declaration] = expression.getSymbol()?.getDeclarations() ?? [];
      return declaration;
    }
    if (!Node.isPropertyAccessExpression(expression)) return undefined;
    return this.#memberOf(this.classOf(expression.getExpression()), expression.getName());
  }

  #memberOf(declaration: ClassDeclaration | undefined, name: string, depth = 0): Node | undefined {
    if (!declaration || depth > 8) return undefined;
    const parameter = declaration
      .getConstructors()
      .flatMap((one) => one.getParameters())
      .find((one) => one.isParameterProperty() && one.getName() === name);
    const own = parameter ?? declaration.getInstanceMember(name);
    return (
      own ?? this.#memberOf(this.types.classNamed(declaration.getExtends()?.getExpression().getText()), name, depth + 1)
    );
  }

  #ofDeclaration(declaration: Node | undefined): Kind | undefined {
    if (!declaration) return undefined;
    const type = typeOf(declaration);
    if (type && type.getText() !== 'any') return this.types.kindOf(type);
    if (Node.isParameterDeclaration(declaration)) return this.#ofParameter(declaration);
    if (Node.isPropertyDeclaration(declaration)) {
      if (declaration.getDecorator('WebSocketServer')) return 'server';
      return this.#ofValue(declaration.getInitializer());
    }
    if (Node.isVariableDeclaration(declaration)) {
      const loop = declaration.getParent().getParent();
      if (Node.isForOfStatement(loop)) return elementOf(this.of(loop.getExpression()));
      return this.#ofValue(declaration.getInitializer());
    }
    return undefined;
  }

  /** A value that is made here: `new Map<string, Socket>()`, or any expression. */
  #ofValue(value: Node | undefined): Kind | undefined {
    if (!Node.isNewExpression(value)) return this.of(value);
    const [element] = value.getTypeArguments().slice(-1);
    const kind = this.types.kindOf(element);
    return kind === 'socket' ? 'sockets' : kind === 'remote' ? 'remotes' : undefined;
  }

  #ofParameter(parameter: Node): Kind | undefined {
    if (!Node.isParameterDeclaration(parameter)) return undefined;
    if (parameter.getDecorator('ConnectedSocket')) return 'socket';
    const owner = parameter.getParent();
    if (Node.isMethodDeclaration(owner)) {
      const isFirst = owner.getParameters()[0] === parameter && parameter.getDecorators().length === 0;
      const isDecorated = owner.getParameters().some((one) => one.getDecorators().length > 0);
      const isHook = /^handle(?:Connection|Disconnect)$/.test(owner.getName()) && isGateway(owner.getParent());
      const isHandler = owner.getDecorator('SubscribeMessage') !== undefined && !isDecorated;
      if (isFirst && (isHook || isHandler)) return 'socket';
      if (isFirst && owner.getName() === 'afterInit' && isGateway(owner.getParent())) return 'server';
    }
    const call = owner.getParent();
    if (!Node.isCallExpression(call)) return undefined;
    const called = call.getExpression();
    if (!Node.isPropertyAccessExpression(called)) return undefined;
    const index =
      Node.isArrowFunction(owner) || Node.isFunctionExpression(owner) ? owner.getParameters().indexOf(parameter) : -1;
    if (CALL_BACK.has(called.getName()) && index === 0) return elementOf(this.of(called.getExpression()));
    const isServer = this.of(called.getExpression()) === 'server';
    const isConnection =
      called.getName() === 'on' && /^['"`]connect(?:ion)?['"`]$/.test(call.getArguments()[0]?.getText() ?? '');
    return isServer && index === 0 && (called.getName() === 'use' || isConnection) ? 'socket' : undefined;
  }
}

/** Whether a class has Nest's decorator of gateways, or is called like one. */
export function isGateway(declaration: Node | undefined): boolean {
  return (
    Node.isClassDeclaration(declaration) &&
    (declaration.getDecorator('WebSocketGateway') !== undefined || (declaration.getName() ?? '').endsWith('Gateway'))
  );
}

function elementOf(kind: Kind | undefined): Kind | undefined {
  return kind === undefined ? undefined : ELEMENT[kind];
}

/** `server.sockets.sockets`, and `namespace.sockets`: the map of sockets by their ids. */
function isMapOfSockets(access: Node, kinds: Kinds): boolean {
  if (!Node.isPropertyAccessExpression(access)) return false;
  const base = access.getExpression();
  const isOfSockets =
    Node.isPropertyAccessExpression(base) && base.getName() === 'sockets' && kinds.of(base) === 'server';
  const parent = access.getParent();
  const isUsedAsMap =
    Node.isPropertyAccessExpression(parent) &&
    ['get', 'has', 'size', 'values', 'keys', 'forEach', 'entries'].includes(parent.getName());
  return isOfSockets || isUsedAsMap;
}

function typeOf(declaration: Node | undefined): Node | undefined {
  if (
    Node.isParameterDeclaration(declaration) ||
    Node.isPropertyDeclaration(declaration) ||
    Node.isVariableDeclaration(declaration) ||
    Node.isPropertySignature(declaration)
  ) {
    return declaration.getTypeNode();
  }
  return Node.isGetAccessorDeclaration(declaration) ? declaration.getReturnTypeNode() : undefined;
}

function returnTypeOf(declaration: Node | undefined): Node | undefined {
  return Node.isMethodDeclaration(declaration) || Node.isFunctionDeclaration(declaration)
    ? declaration.getReturnTypeNode()
    : undefined;
}
