const RIDGES = 8;
/** The sky, the sun, and the ridges. */
export const LAYERS = 2 + RIDGES;

/** Paints a place from behind to front; a name is always the same place. */
export function* landscape(place: string): Generator<string> {
  let state = Buffer.from(place).reduce((sum, byte) => Math.imul(sum ^ byte, 16_777_619), 7);
  const random = (from: number, to: number): number => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + 1_013_904_223;
    return from + (((state ^ (state >>> 13)) >>> 0) / 2 ** 32) * (to - from);
  };
  const hue = random(180, 385);
  const stops = `<stop stop-color="hsl(${hue} 50% 60%)"/><stop offset=".8" stop-color="hsl(${hue + 45} 85% 88%)"/>`;
  yield `<linearGradient id="sky" x2="0" y2="1">${stops}</linearGradient><path fill="url(#sky)" d="M0 0h480v320H0"/>`;
  yield `<circle cx="${random(80, 400)}" cy="${random(60, 150)}" r="${random(18, 40)}" fill="hsl(${hue + 60} 100% 96%)"/>`;
  for (let ridge = 1; ridge <= RIDGES; ridge++) {
    const near = ridge / RIDGES;
    const waves = [1, 2, 4, 8].map((bends) => ({
      bends: bends * random(4, 8),
      start: random(0, 7),
      height: 26 / bends,
    }));
    const line = Array.from({ length: 61 }, (_, at) => {
      const sway = waves.reduce((sum, wave) => sum + Math.sin((at / 60) * wave.bends + wave.start) * wave.height, 0);
      return `${at * 8} ${Math.round(150 + near * 130 + sway * (1.2 - near * 0.6))}`;
    });
    const colour = `hsl(${hue - near * 25} ${25 + near * 20}% ${72 - near * 60}%)`;
    yield `<path fill="${colour}" d="M0 320L${line.join(' ')} 480 320z"/>`;
  }
}

export function imageOf(layers: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320">${layers.join('')}</svg>`;
}
