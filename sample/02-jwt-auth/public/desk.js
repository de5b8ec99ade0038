import { WebSocketClient } from './client.js';
import { showRooms } from './rooms.js';
import { Session } from './session.js';

const byId = (id) => document.getElementById(id);
const session = new Session();
let client = null;

byId('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    await session.signIn(byId('name').value.trim(), byId('password').value);
    event.target.reset();
    show('login-problem', '');
    await enter();
  } catch (error) {
    show('login-problem', error.message);
  }
});

byId('sign-out').addEventListener('click', () => {
  const signedOut = client;
  leave('');
  signedOut.disconnect();
});

byId('renew').addEventListener('click', renew);

byId('announce').addEventListener('submit', async (event) => {
  event.preventDefault();
  const result = byId('announce-result');
  try {
    await client.request('desk', 'announce', { text: byId('text').value });
    event.target.reset();
    delete result.dataset.refused;
    result.textContent = 'Everybody has heard it.';
  } catch (error) {
    result.dataset.refused = '';
    result.textContent = error.message;
  }
});

async function enter() {
  const { sub, userType } = session.claims;
  byId('user').textContent = sub;
  byId('role').textContent = userType;
  byId('log').replaceChildren();
  byId('announce-result').textContent = '';
  byId('welcome').hidden = true;
  byId('desk').hidden = false;
  show('problem', '');
  setStatus('connecting', 'Connecting…');

  // This page shows each end and each renewal; with `getToken`, the client sees to both by itself.
  client = new WebSocketClient({ url: 'ws', reconnect: false });
  showRooms(byId('rooms'), client, note);
  client.onAny(heard);
  client.onState((change) => {
    if (change.state === 'connected') setStatus('open', 'Connected');
    if (change.state === 'disconnected') lost(change);
  });
  await client.refresh(session.token);
  client.connect();
}

/** Renews the token over HTTP, and shows it to the server over the connection that stands. */
async function renew() {
  try {
    await session.renew();
    await client.refresh(session.token);
    show('problem', '');
    note('The token was renewed; the connection stayed.');
  } catch (error) {
    show('problem', error.message);
  }
}

function heard({ type, action, data }) {
  if (type === 'auth' && action === 'authenticated') note(`The server knows you as ${data.userId}.`);
  if (type === 'desk') note(`${data.from} announces: ${data.text}`);
  if (type === 'room') {
    const { userId, profile } = data.member;
    note(`${userId} (${profile.role}) ${action === 'memberJoined' ? 'came into' : 'left'} ${data.roomName}.`);
  }
  if (type === 'auth' && action === 'expiring') {
    note(`The server says: the token expires in ${Math.round((data.expiresAt - Date.now()) / 1000)} s.`);
    if (byId('renew-alone').checked) void renew();
  }
}

function lost({ code, reason }) {
  // Who has signed out knows.
  if (!client) return;
  setStatus('closed', 'Disconnected');
  if (code === 4005) return leave('Your token has expired. Sign in again.');
  if (code === 4003) return leave('Your token was refused. Sign in again.');
  show('problem', `You are disconnected, sign out and in again: ${reason}`);
}

function leave(problem) {
  client = null;
  byId('desk').hidden = true;
  byId('welcome').hidden = false;
  show('login-problem', problem);
  byId('name').focus();
}

function note(text) {
  const item = document.createElement('li');
  item.textContent = text;
  byId('log').prepend(item);
  while (byId('log').children.length > 30) byId('log').lastChild.remove();
}

function show(id, text) {
  byId(id).textContent = text;
  byId(id).hidden = text === '';
}

function setStatus(state, text) {
  byId('status').dataset.state = state;
  byId('status').textContent = text;
}

setInterval(() => {
  if (!client) return;
  byId('left').textContent = `${Math.ceil(session.left)} s`;
  byId('life').value = session.left / session.lifetime;
}, 250);
