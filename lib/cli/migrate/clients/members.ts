import { Node, type CallExpression, type ObjectBindingPattern, type PropertyAccessExpression } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';
import { renameVerb, type SocketCall } from './emits.js';

/** What a socket has beside its verbs, and what it is called here. */
export function convertMember(node: PropertyAccessExpression, client: ClientFile): void {
  const { edits } = client;
  const name = node.getNameNode();
  const owner = node.getExpression();
  switch (node.getName()) {
    case 'id': {
      edits.replace(name, 'clientId');
      return;
    }
    case 'connected': {
      edits.replace(name, 'isClientConnected()');
      return;
    }
    case 'disconnected':
      edits.insertBefore(node, '!');
      {
        edits.replace(name, 'isClientConnected()');
        return;
      }
    case 'active':
      edits.insertBefore(node, '(');
      edits.replace(name, 'state');
      {
        edits.insertAfter(node, " !== 'disconnected')");
        return;
      }
    case 'auth': {
      convertAuth(node, owner, client);
      return;
    }
    case 'recovered': {
      client.todo(node, 'events.onRecovered tells it of each room with history', 'recovery');
      return;
    }
    case 'io': {
      client.todo(node, 'there is no manager: its options are the client’s, its events come to onState', 'manager');
      return;
    }
    case 'nsp': {
      client.todo(node, 'a namespace is the path of the url here', 'namespaces');
      return;
    }
    default: {
      client.todo(node, `there is no ${node.getName()} of the client`, 'every-verb-of-the-client');
      return;
    }
  }
}

/** `const { id } = socket`. */
export function convertTaken(pattern: ObjectBindingPattern, client: ClientFile): void {
  const holder = pattern.getParent();
  if (!Node.isVariableDeclaration(holder) || !client.sockets.isSocket(holder.getInitializer())) return;
  for (const element of pattern.getElements()) {
    const given = element.getPropertyNameNode();
    const name = given?.getText() ?? element.getName();
    if (name !== 'id') {
      const text =
        name === 'connected'
          ? 'ask isClientConnected() of the client'
          : `there is no ${name} of the client to be taken out`;
      client.todo(element, text, 'every-verb-of-the-client');
    } else if (given) client.edits.replace(given, 'clientId');
    else client.edits.insertBefore(element, 'clientId: ');
  }
}

/** `connect()` and `open()`, whose promise tells the first welcome. */
export function convertConnect({ call, ...found }: SocketCall, client: ClientFile): void {
  renameVerb({ call, ...found }, 'connect', client);
  if (Node.isExpressionStatement(call.getParent())) client.edits.insertBefore(call, 'void ');
}

/** Verbs without a counterpart. */
export function leaveCall(call: CallExpression, verb: string, client: ClientFile): void {
  client.todo(call, `there is no ${verb} of the client`, 'every-verb-of-the-client');
}

/** `socket.auth = { token }`: what the next connection proves itself by. */
function convertAuth(node: PropertyAccessExpression, owner: Node, client: ClientFile): void {
  const parent = node.getParent();
  const isSet =
    Node.isBinaryExpression(parent) && parent.getLeft() === node && parent.getOperatorToken().getText() === '=';
  const value = isSet ? parent.getRight() : undefined;
  const [first, ...others] = Node.isObjectLiteralExpression(value) ? value.getProperties() : [];
  const isToken =
    others.length === 0 &&
    (Node.isPropertyAssignment(first) || Node.isShorthandPropertyAssignment(first)) &&
    first.getName() === 'token';
  const statement = parent?.getParent();
  if (!isToken || !isSet || !Node.isExpressionStatement(statement)) {
    client.todo(
      node,
      'let getToken of the client’s options return what the next connection proves itself by',
      'authentication',
    );
    if (isSet && Node.isExpressionStatement(statement))
      client.edits.replace(parent, `void ${client.edits.textOf(parent.getRight())}`);
    return;
  }
  const token = Node.isPropertyAssignment(first) ? first.getInitializerOrThrow() : first.getNameNode();
  client.edits.replace(parent, `void ${owner.getText()}.refresh(${client.edits.textOf(token)})`);
}
