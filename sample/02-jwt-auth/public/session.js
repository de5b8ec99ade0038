/** The token of who is signed in, kept in memory only: a page that is closed forgets it. */
export class Session {
  #token = null;
  #claims = null;

  get token() {
    return this.#token;
  }

  /** What the token says of its user; the server has signed it, so a page may show it and no more. */
  get claims() {
    return this.#claims;
  }

  /** Seconds until the token ends. */
  get left() {
    return Math.max(0, this.#claims.exp - Date.now() / 1000);
  }

  /** Seconds that the token lives in all. */
  get lifetime() {
    return this.#claims.exp - this.#claims.iat;
  }

  signIn(name, password) {
    return this.#fetch('login', { 'Content-Type': 'application/json' }, JSON.stringify({ name, password }));
  }

  renew() {
    return this.#fetch('renew', { Authorization: `Bearer ${this.#token}` });
  }

  async #fetch(path, headers, body) {
    const response = await fetch(path, { method: 'POST', headers, body });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.message);
    this.#token = answer.token;
    const [, payload] = answer.token.split('.');
    this.#claims = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
  }
}
