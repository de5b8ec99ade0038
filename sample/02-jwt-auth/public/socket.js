/**
 * One WebSocket, opened with a token. Its events: `open`, `push` { type, action, data }, `closed` { code, reason }.
 * sample/01-chat has a connection that comes back by itself.
 */
export class Socket extends EventTarget {
  #socket;
  #lastId = 0;
  #waiting = new Map();

  constructor(token) {
    super();
    const url = new URL('ws', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    // A page cannot set headers: the token goes beside the codec, and does not end up in the logs of proxies.
    this.#socket = new WebSocket(url, ['pxl.v1', `bearer.${token}`]);
    this.#socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => {
      for (const { reject } of this.#waiting.values()) reject(new Error('The connection is closed.'));
      this.#waiting.clear();
      this.#emit('closed', { code, reason });
    };
  }

  /** Sends a request; resolves with the response, rejects with the server's sentence. */
  request(type, action, data) {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN) return reject(new Error('There is no connection.'));
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ type, action, data, id }));
    });
  }

  close() {
    this.#socket.close(1000);
  }

  #receive(frame) {
    const request = this.#waiting.get(frame.id);
    this.#waiting.delete(frame.id);
    if (request && frame.type === 'error') request.reject(new Error(frame.data.error));
    else if (request) request.resolve(frame.response);
    else if (frame.type === 'system' && frame.action === 'connected') this.#emit('open', frame.data);
    else this.#emit('push', frame);
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
