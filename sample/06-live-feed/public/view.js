/** So many are not here yet because they are on their way. */
const ON_THE_WAY = 3;

export const byId = (id) => document.getElementById(id);

const count = (number, one, many) => (number === 1 ? `1 ${one}` : `${number} ${many}`);

/** In one sentence, what the squares say. */
export function headlineOf({ newest, counts: { live, kept, lost, wrong }, away }, isConnected) {
  if (newest === 0) return 'Waiting for the first message…';
  if (wrong > 0)
    return `${count(wrong, 'message is', 'messages are')} lost without a word, or came twice. This must never be.`;
  if (away > ON_THE_WAY || !isConnected) return `${count(away, 'message has', 'messages have')} not come yet.`;
  const here = `${count(live + kept, 'message', 'messages')} came, each once and in order.`;
  return lost === 0 ? `${here} Nothing is lost.` : `${here} ${lost} are lost, and the page was told.`;
}

export function paintNumbers(record, isConnected) {
  const headline = headlineOf(record, isConnected);
  if (byId('headline').textContent !== headline) byId('headline').textContent = headline;
  for (const [mark, number] of Object.entries({ ...record.counts, away: record.away })) byId(mark).textContent = number;
}

/** A line of the diary: the newest on top. */
export function note(text, kind = '') {
  const line = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString();
  line.dataset.kind = kind;
  line.append(time, ' ', text);
  byId('diary').prepend(line);
  while (byId('diary').children.length > 50) byId('diary').lastChild.remove();
}
