/** Runs `job(index)` for 0 … count − 1, so many at a time; a lane whose job answers false takes no further one. */
export async function inParallel(lanes, count, job) {
  let index = 0;
  const lane = async () => {
    while (index < count) if ((await job(index++)) === false) return;
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}
