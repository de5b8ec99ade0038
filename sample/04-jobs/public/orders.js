/** Who this browser is to the server: all of its tabs see the same postcards. */
export const visitor = (localStorage.visitor ??= newName());

function newName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Orders a postcard; resolves with its id, rejects with the server's sentence. */
export async function order(place) {
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ userId: visitor, place });
  const { id } = await answerOf(fetch('postcards', { method: 'POST', headers, body }));
  return id;
}

/** Every order of this visitor, the oldest first: `{ id, place, progress, picture, hasFailed }`. */
export async function orders() {
  const all = await answerOf(fetch(`postcards?${new URLSearchParams({ userId: visitor })}`));
  return all.sort((a, b) => a.id - b.id);
}

async function answerOf(request) {
  const response = await request.catch(() => {
    throw new Error('The server does not answer. Try again in a moment.');
  });
  if (!response.ok) throw new Error((await response.json()).message);
  return response.json();
}
