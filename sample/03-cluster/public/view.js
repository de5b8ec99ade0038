const COLOURS = ['Teal', 'Plum', 'Amber', 'Blue', 'Rust', 'Olive', 'Violet', 'Rose'];

/** Words of users enter the page through `textContent` alone, so they can never become markup. */
export const byId = (id) => document.getElementById(id);

function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** Workers have numbers; people remember colours. */
export function workerName({ worker }) {
  const round = Math.ceil(worker / COLOURS.length);
  return `${COLOURS[(worker - 1) % COLOURS.length]}${round > 1 ? ` ${round}` : ''}`;
}

/** The workers that have visitors, each with those; returns how many workers that are. */
export function paintLanes(visitors, me) {
  const lanes = Map.groupBy(
    visitors.toSorted((a, b) => a.worker - b.worker || a.name.localeCompare(b.name)),
    ({ workerId }) => workerId,
  );
  byId('lanes').replaceChildren(...[...lanes.values()].map((people) => laneElement(people, me)));
  return lanes.size;
}

function laneElement(people, me) {
  const lane = fromTemplate('lane-template');
  paintIn(lane, people[0]);
  lane.querySelector('.worker-name').textContent = workerName(people[0]);
  lane.querySelector('.worker-number').textContent = `worker ${people[0].worker}`;
  lane.querySelector('.people').append(
    ...people.map(({ name }) => {
      const item = document.createElement('li');
      item.textContent = name === me ? `${name} (you)` : name;
      return item;
    }),
  );
  return lane;
}

export function messageElement(from, text, isMine) {
  const message = fromTemplate('message-template');
  paintIn(message, from);
  message.classList.toggle('mine', isMine);
  message.querySelector('.author').textContent = isMine ? 'You' : from.name;
  message.querySelector('.via').textContent = `through ${workerName(from)}`;
  message.querySelector('.text').textContent = text;
  return message;
}

export function noteElement(text) {
  const note = document.createElement('p');
  note.className = 'note';
  note.textContent = text;
  return note;
}

function paintIn(element, session) {
  element.dataset.colour = workerName(session).split(' ')[0];
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
