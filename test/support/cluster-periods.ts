/** Whether the tests have time for the usual periods and sizes: `npm run test:soak`. */
export const isSoak = process.env.PXL_SOAK !== undefined;

/** How many times shorter the periods of a test's cluster are. */
export const SCALE = isSoak ? 1 : 5;

/** `cluster.lease`, ms. */
export const LEASE = 10_000 / SCALE;

/** `cluster.probe`, ms. */
export const PROBE = 3_000 / SCALE;

/** Tells how long something took that has a deadline; the test fails only when it took twice that. */
export function report(what: string, ms: number, deadline: number): void {
  process.stdout.write(`${what}: ${Math.round(ms)} ms of ${deadline}\n`);
}
