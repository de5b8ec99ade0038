import { Node } from './ts-morph.js';

/** How people call what takes an acknowledgement, where nothing says that it is a function. */
const LIKELY =
  /^(?:(?:this\.)?(?:ack|cb|callback|done|resolve|reject|fn|next)|(?:\w+\.)?(?:on[A-Z]\w*|\w*(?:Ack|Cb|Callback|Handler|Listener)))$/;

const BYTES = /^(?:Buffer\.|new (?:Uint8Array|ArrayBuffer|Blob|File|DataView)\b)/;
/** What is said where bytes are sent. */
export const BYTES_IN_JSON = 'data travels as JSON here, in which bytes are lost: send them as base64, or by HTTP';

/** Whether bytes stand in data, as far as it is written. */
export function hasBytes(data: readonly Node[]): boolean {
  return data.some((one) => [one, ...one.getDescendants()].some((part) => isMade(part) && BYTES.test(part.getText())));
}

function isMade(node: Node): boolean {
  return Node.isCallExpression(node) || Node.isNewExpression(node);
}

/** Whether an argument is a function, as far as it is written: it would be lost in the data of a message. */
export function isCallback(node: Node | undefined): node is Node {
  if (!node) return false;
  if (Node.isArrowFunction(node) || Node.isFunctionExpression(node)) return true;
  const text = node.getText();
  if (text.includes('.bind(')) return true;
  const symbol = node.getSymbol();
  const declared = (symbol?.getAliasedSymbol() ?? symbol)?.getDeclarations() ?? [];
  return declared.some(isFunction) || (LIKELY.test(text) && declared.every(isUntyped));
}

function isFunction(declaration: Node): boolean {
  if (Node.isFunctionDeclaration(declaration) || Node.isMethodDeclaration(declaration)) return true;
  if (Node.isParameterDeclaration(declaration)) return isOfPromise(declaration) || hasFunctionType(declaration);
  if (!Node.isVariableDeclaration(declaration) && !Node.isPropertyDeclaration(declaration)) return false;
  const value = declaration.getInitializer();
  return Node.isArrowFunction(value) || Node.isFunctionExpression(value) || hasFunctionType(declaration);
}

function hasFunctionType(declaration: Node & { getTypeNode(): Node | undefined }): boolean {
  const type = declaration.getTypeNode();
  return Node.isFunctionTypeNode(type) || type?.getText() === 'Function';
}

/** `new Promise((res, rej) => socket.emit('q', res))`. */
function isOfPromise(parameter: Node): boolean {
  const made = parameter.getParent()?.getParent();
  return Node.isNewExpression(made) && made.getExpression().getText() === 'Promise';
}

function isUntyped(declaration: Node): boolean {
  const isTyped =
    Node.isParameterDeclaration(declaration) ||
    Node.isVariableDeclaration(declaration) ||
    Node.isPropertyDeclaration(declaration);
  return !isTyped || declaration.getTypeNode() === undefined || declaration.getTypeNode()?.getText() === 'any';
}
