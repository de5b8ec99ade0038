import { Requests } from './requests.js';
import { retryDelay } from './retry.js';

const WELCOME_WITHIN = 10_000;

/**
 * A WebSocket that comes back. Its events:
 * `state` { state: 'connecting' | 'open' | 'waiting' | 'stopped', delay? in ms },
 * `open` { clientId, userId, ... } each time a new connection stands,
 * `push` { type, action, data } for what the server says unasked.
 */
export class Connection extends EventTarget {
  #url;
  #socket = null;
  #heartbeat = null;
  #ready = false;
  #attempt = 0;
  #requests = new Requests();
  #retryTimer;
  #silenceTimer;

  constructor(url) {
    super();
    this.#url = url;
  }

  /** Connects now, or cuts the wait for the next attempt short. */
  open() {
    if (this.#socket) return;
    clearTimeout(this.#retryTimer);
    this.#emit('state', { state: 'connecting' });

    const socket = new WebSocket(this.#url, 'pxl.v1');
    this.#socket = socket;
    // A socket that was given up may still report: it must not disturb its successor.
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#lost(code, reason);
    this.#silenceTimer = setTimeout(() => this.#giveUp(), WELCOME_WITHIN);
  }

  /** Sends without asking for an answer; does nothing while there is no connection. */
  notify(type, action, data) {
    if (this.#ready) this.#write({ type, action, data });
  }

  /** Sends and resolves with the server's response; rejects with a `RequestError` of requests.js. */
  request(type, action, data) {
    if (!this.#ready) return Requests.refused('There is no connection right now.');
    const { id, answer } = this.#requests.start();
    this.#write({ type, action, id, data });
    return answer;
  }

  #receive(frame) {
    if (frame.type === 'system' && frame.action === 'connected') this.#welcomed(frame.data);
    else if (!this.#requests.answered(frame)) this.#emit('push', frame);
    this.#watchForSilence();
  }

  #welcomed(welcome) {
    this.#ready = true;
    this.#attempt = 0;
    this.#heartbeat = welcome.heartbeat;
    this.#emit('state', { state: 'open' });
    this.#emit('open', welcome);
  }

  /** A page cannot see ping frames, and a dead network closes nothing: so ask after a silence, and expect a sign of life. */
  #watchForSilence() {
    clearTimeout(this.#silenceTimer);
    if (!this.#heartbeat) return;
    const { interval, timeout } = this.#heartbeat;
    this.#silenceTimer = setTimeout(() => {
      this.notify('system', 'ping');
      this.#silenceTimer = setTimeout(() => this.#giveUp(), timeout);
    }, interval);
  }

  #giveUp() {
    const dead = this.#socket;
    this.#lost(1006, '');
    dead.close();
  }

  #lost(code, reason) {
    clearTimeout(this.#silenceTimer);
    this.#socket = null;
    this.#ready = false;
    this.#requests.abandon('The connection was lost before the server answered.');

    const delay = retryDelay(this.#attempt, code, reason);
    if (delay === null) return this.#emit('state', { state: 'stopped' });
    this.#attempt += 1;
    this.#retryTimer = setTimeout(() => this.open(), delay);
    this.#emit('state', { state: 'waiting', delay });
  }

  #write(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
