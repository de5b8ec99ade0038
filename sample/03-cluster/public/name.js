const ANIMALS = [
  'Badger',
  'Crane',
  'Dormouse',
  'Egret',
  'Fox',
  'Heron',
  'Ibis',
  'Lynx',
  'Marten',
  'Otter',
  'Robin',
  'Wren',
];

/** What this tab is called until it is closed: a name of its own, or the one that its address says (`/?name=Ada`). */
export function ownName() {
  const asked = new URLSearchParams(location.search).get('name')?.trim();
  const name = asked ? [...asked].slice(0, 24).join('') : (sessionStorage.getItem('name') ?? anyName());
  sessionStorage.setItem('name', name);
  return name;
}

function anyName() {
  const below = (count) => Math.floor(Math.random() * count);
  return `${ANIMALS[below(ANIMALS.length)]} ${10 + below(90)}`;
}
