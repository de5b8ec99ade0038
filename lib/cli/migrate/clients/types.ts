import { Node } from '../ts-morph.js';
import type { ClientFile } from './client-file.js';

/** Types of sockets, and of the options of io(). */
export function convertType(node: Node, client: ClientFile): void {
  const { edits } = client;
  const names = client.sockets.namesIn(client.file);
  if (Node.isTypeQuery(node) && names.isSocket(node.getExprName())) {
    client.importClient({ type: true });
    edits.replace(node, client.type);
    return;
  }
  if (Node.isIntersectionTypeNode(node) && node.getTypeNodes().every((one) => isOptions(one, client))) {
    edits.replace(node, optionsType(client));
    return;
  }
  if (!Node.isTypeReference(node)) return;
  if (isOptions(node, client)) edits.replace(node, optionsType(client));
  if (!names.isSocket(node.getTypeName())) return;
  client.importClient({ type: true });
  edits.replace(node, client.type);
  if (node.getTypeArguments().length > 0)
    client.todo(node, 'name the events in a contract: WebSocketClient<Contract>', 'types-of-events');
}

function isOptions(node: Node, client: ClientFile): boolean {
  return Node.isTypeReference(node) && client.sockets.namesIn(client.file).isOptions(node.getTypeName());
}

function optionsType(client: ClientFile): string {
  client.importOptions();
  return 'WebSocketClientOptions';
}
