const ROOMS = ['lounge', 'staff'];

/** Shows the rooms, each with a button that asks to join it or leaves it; the server's rule decides. */
export function showRooms(list, client, note) {
  list.replaceChildren(...ROOMS.map((roomName) => roomItem(roomName, client, note)));
}

function roomItem(roomName, client, note) {
  const item = document.createElement('li');
  const [title, button, state] = ['b', 'button', 'span'].map((name) => document.createElement(name));
  title.textContent = roomName;
  button.className = 'secondary';
  button.type = 'button';
  state.setAttribute('role', 'status');
  let joined = false;

  const show = (text) => {
    button.textContent = joined ? `Leave ${roomName}` : `Join ${roomName}`;
    state.textContent = text;
  };
  button.addEventListener('click', async () => {
    try {
      await (joined ? client.leave(roomName) : client.join(roomName));
      joined = !joined;
      show(joined ? 'You are in.' : 'You left.');
    } catch (error) {
      show(error.message);
      note(`${roomName}: ${error.message}`);
    }
  });
  show('Not joined.');
  item.append(title, button, state);
  return item;
}
