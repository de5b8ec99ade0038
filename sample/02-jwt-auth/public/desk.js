import { showRooms } from './rooms.js';
import { Session } from './session.js';
import { Socket } from './socket.js';

const byId = (id) => document.getElementById(id);
const session = new Session();
let socket = null;

byId('login').addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    await session.signIn(byId('name').value.trim(), byId('password').value);
    event.target.reset();
    show('login-problem', '');
    enter();
  } catch (error) {
    show('login-problem', error.message);
  }
});

byId('sign-out').addEventListener('click', () => {
  socket.close();
  leave('');
});

byId('renew').addEventListener('click', renew);

byId('announce').addEventListener('submit', async (event) => {
  event.preventDefault();
  const result = byId('announce-result');
  try {
    await socket.request('desk', 'announce', { text: byId('text').value });
    event.target.reset();
    delete result.dataset.refused;
    result.textContent = 'Everybody has heard it.';
  } catch (error) {
    result.dataset.refused = '';
    result.textContent = error.message;
  }
});

function enter() {
  const { sub, userType } = session.claims;
  byId('user').textContent = sub;
  byId('role').textContent = userType;
  byId('log').replaceChildren();
  byId('announce-result').textContent = '';
  byId('welcome').hidden = true;
  byId('desk').hidden = false;
  show('problem', '');
  setStatus('connecting', 'Connecting…');

  const current = new Socket(session.token);
  socket = current;
  showRooms(byId('rooms'), current, note);
  current.addEventListener('open', () => setStatus('open', 'Connected'));
  current.addEventListener('push', ({ detail }) => heard(detail));
  // A socket that was given up may still report: it must not disturb its successor.
  current.addEventListener('closed', ({ detail }) => current === socket && lost(detail));
}

/** Renews the token over HTTP, and shows it to the server over the connection that stands. */
async function renew() {
  try {
    await session.renew();
    await socket.request('system', 'refresh', { token: session.token });
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
  setStatus('closed', 'Disconnected');
  if (code === 4005) return leave('Your token has expired. Sign in again.');
  if (code === 4003) return leave('Your token was refused. Sign in again.');
  show('problem', `The connection was closed: ${reason || code}. Sign out and in again.`);
}

function leave(problem) {
  socket = null;
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
  if (!socket) return;
  byId('left').textContent = `${Math.ceil(session.left)} s`;
  byId('life').value = session.left / session.lifetime;
}, 250);
