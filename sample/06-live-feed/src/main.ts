// This file runs once as the stage, which starts Redis, the feed and two workers, and once as each of these workers.
await (process.argv[2] === 'worker' ? import('./worker.js') : import('./stage.js'));
