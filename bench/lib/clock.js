/** What Bun's `process.hrtime` lacks: it begins with the process. */
const lead = globalThis.Bun ? await monotonicMicroseconds() : 0;

/** Microseconds of the clock that all processes of a machine share (CLOCK_MONOTONIC). */
export function microseconds() {
  const [seconds, nanoseconds] = process.hrtime();
  return Math.floor(lead + seconds * 1_000_000 + nanoseconds / 1_000);
}

async function monotonicMicroseconds() {
  const { dlopen } = await import('bun:ffi');
  const libc = dlopen('libc.so.6', { clock_gettime: { args: ['int', 'ptr'], returns: 'int' } });
  const time = new BigInt64Array(2);
  const [seconds, nanoseconds] = process.hrtime();
  libc.symbols.clock_gettime(1, time);
  return Number(time[0]) * 1_000_000 + Number(time[1]) / 1_000 - seconds * 1_000_000 - nanoseconds / 1_000;
}
