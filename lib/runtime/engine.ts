/** What runs this process. All three call themselves Node in `process.release`, but name themselves in `process.versions`. */
export const ENGINE: 'node' | 'bun' | 'deno' =
  process.versions.bun !== undefined ? 'bun' : process.versions.deno !== undefined ? 'deno' : 'node';
