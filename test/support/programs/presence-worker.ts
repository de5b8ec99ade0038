import { additions } from '../worker-additions.js';
import { presenceOf, profileOf } from '../presence/presence-rules.js';

/** A worker whose rooms show who is in them, each as the end of its name says. */
additions.rooms = { open: true, presence: presenceOf, profile: profileOf };

await import('./cluster-worker.js');
