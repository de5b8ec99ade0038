import { ValidationPipe } from '@nestjs/common';
import { createWsTestApp, type WsTestApp } from 'nestjs-pxl-websocket/testing';
import { AppModule } from './app.module';

let test: WsTestApp;

beforeAll(async () => {
  test = await createWsTestApp({ module: AppModule, configure: (app) => app.useGlobalPipes(new ValidationPipe()) });
});
afterAll(() => test.close());

it('counts the votes of those who are here, and tells everybody', async () => {
  const [ada, bo] = await Promise.all([test.client(), test.client()]);

  expect(await ada.request('poll', 'vote', { choice: 'tabs' })).toEqual({ tabs: 1, spaces: 0 });
  expect(await bo.next('poll', 'counts')).toMatchObject({ data: { tabs: 1, spaces: 0 } });

  await ada.close();
  expect(await bo.next('poll', 'counts')).toMatchObject({ data: { tabs: 0, spaces: 0 } });
});

it('refuses what is no choice', async () => {
  const client = await test.client();
  await expect(client.request('poll', 'vote', { choice: 'both' })).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
});
