/**
 * Measures every entry once per round, beginning with another one each time, so that whatever else the machine does
 * falls on all of them.
 *
 * @returns the samples of each entry, one per round
 */
export async function inRounds(entries, rounds, measure) {
  const samples = entries.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const index = (round + i) % entries.length;
      samples[index].push(await measure(entries[index]));
    }
  }
  return samples;
}
