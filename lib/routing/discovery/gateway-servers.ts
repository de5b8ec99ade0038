/** What `@WebSocketServer()` writes to the property. */
const SERVER_METADATA = 'websockets:is_socket';

/**
 * Gives an instance of a request-scoped gateway the servers that Nest has put into the `@WebSocketServer()` properties of the
 * one object of its class that it knows.
 */
export function copyServers(from: object, to: object): void {
  for (const property of Object.keys(from)) {
    if (Reflect.hasMetadata(SERVER_METADATA, from, property)) Reflect.set(to, property, Reflect.get(from, property));
  }
}
