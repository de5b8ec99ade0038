import { byId } from './view.js';

const EVERY = 2_000;

/** Asks as a load balancer does, shows the answer of whichever worker gives it, and hands it on; null: none has come. */
export async function watchHealth(use) {
  for (;;) {
    const { code, health } = await ask();
    byId('health').dataset.code = code;
    byId('health-code').textContent = code;
    byId('health-text').textContent = health ? describe(health) : 'no answer';
    use(health);
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

async function ask() {
  try {
    const response = await fetch('health', { signal: AbortSignal.timeout(EVERY) });
    return { code: response.status, health: await response.json() };
  } catch {
    return { code: '', health: null };
  }
}

function describe({ status, cluster: { workers, connections }, redis }) {
  const counts = `${workers} ${workers === 1 ? 'worker' : 'workers'}, ${connections} ${connections === 1 ? 'client' : 'clients'}`;
  return `${status}: ${redis.connected ? counts : 'Redis cannot be reached'}`;
}
