const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;
const CONNECTION_LOST = [1001, 1005, 1006, 1011, 1012, 1013, 1014];

/** How many milliseconds to wait before the next attempt; null when it would only be refused again. */
export function retryDelay(attempt, code, reason) {
  if (isFinal(code)) return null;
  // Any moment up to the longest one, so that the clients of a server that fell do not come back all at once.
  return askedDelay(code, reason) ?? Math.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
}

/** PROTOCOL.md has the whole table of close codes. */
function isFinal(code) {
  if (CONNECTION_LOST.includes(code)) return false;
  return code < 3000 || code >= 4500 || [3000, 3003, 4003, 4004].includes(code);
}

/** A server that restarts may spread its clients over some seconds: `{"after":ms}` in the reason of 1012. */
function askedDelay(code, reason) {
  try {
    return code === 1012 ? JSON.parse(reason).after : undefined;
  } catch {
    return undefined;
  }
}
