import { createApp, type TestAppOptions } from './test-app.js';

/** What the start of an application fails with; 'started' when it does not. */
export async function failureOf(test: TestAppOptions): Promise<string> {
  try {
    const app = await createApp(test);
    try {
      await app.init();
    } finally {
      await app.close();
    }
    return 'started';
  } catch (error) {
    return (error as Error).message;
  }
}
