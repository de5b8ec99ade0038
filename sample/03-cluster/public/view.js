const COLOURS = ['Teal', 'Plum', 'Amber', 'Blue', 'Rust', 'Olive', 'Violet', 'Rose'];

/** Words of users enter the page through `textContent` alone, so they can never become markup. */
export const byId = (id) => document.getElementById(id);

function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** Workers have numbers; people remember colours. */
export function workerName(worker) {
  const round = Math.ceil(worker / COLOURS.length);
  return `${colourOf(worker)}${round > 1 ? ` ${round}` : ''}`;
}

export function colourOf(worker) {
  return COLOURS[(worker - 1) % COLOURS.length];
}

/** The workers that have visitors, each with those; returns how many workers that are. */
export function paintLanes(members, me) {
  const lanes = Map.groupBy(
    members.toSorted((a, b) => a.profile.worker - b.profile.worker || a.userId.localeCompare(b.userId)),
    ({ profile }) => profile.worker,
  );
  byId('lanes').replaceChildren(...[...lanes].map(([worker, people]) => laneElement(worker, people, me)));
  return lanes.size;
}

function laneElement(worker, people, me) {
  const lane = fromTemplate('lane-template');
  lane.dataset.colour = colourOf(worker);
  lane.querySelector('.worker-name').textContent = workerName(worker);
  lane.querySelector('.worker-number').textContent = `worker ${worker}`;
  lane.querySelector('.people').append(
    ...people.map(({ userId: name }) => {
      const item = document.createElement('li');
      item.textContent = name === me ? `${name} (you)` : name;
      return item;
    }),
  );
  return lane;
}

export function messageElement({ from, worker, text }, isMine) {
  const message = fromTemplate('message-template');
  message.dataset.colour = colourOf(worker);
  message.classList.toggle('mine', isMine);
  message.querySelector('.author').textContent = isMine ? 'You' : from;
  message.querySelector('.via').textContent = `through ${workerName(worker)}`;
  message.querySelector('.text').textContent = text;
  return message;
}

export function noteElement(text) {
  const note = document.createElement('p');
  note.className = 'note';
  note.textContent = text;
  return note;
}

let countdown;

/** How the connection is; with a delay it counts the seconds down. */
export function showHere(state, text, delay) {
  byId('here').dataset.state = state;
  byId('here-label').textContent = state === 'away' ? 'Your connection was on' : 'Your connection is on';
  byId('status').textContent = text;
  clearInterval(countdown);
  const until = Date.now() + delay;
  const count = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    byId('countdown').textContent = seconds > 0 ? ` in ${seconds} s…` : delay ? '…' : '';
  };
  count();
  if (delay) countdown = setInterval(count, 250);
}
