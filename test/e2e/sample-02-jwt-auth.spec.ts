import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtService } from '@nestjs/jwt';
import { WebSocketService } from 'nestjs-pxl-websocket';
import type { Browser, Page } from 'playwright-core';
import { AppModule } from '../../sample/02-jwt-auth/src/app.module.js';
import { launchChromium } from '../support/chromium.js';
import { buildClientFile } from '../support/client-bundle.js';
import { TestClient } from '../support/test-client.js';

let app: INestApplication;
let port: number;
let browser: Browser;
const pages: Page[] = [];
const pageErrors: Error[] = [];

beforeAll(async () => {
  Logger.overrideLogger(false);
  [browser] = await Promise.all([launchChromium(), buildClientFile()]);
  app = await NestFactory.create(AppModule);
  await app.listen(0, '127.0.0.1');
  ({ port } = (app.getHttpServer() as { address(): { port: number } }).address());
});

afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  expect(pageErrors).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await app.close();
});

async function visitor(name: string, password: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  pages.push(page);
  page.on('pageerror', (error) => pageErrors.push(error));
  await page.goto(`http://127.0.0.1:${port}/`);
  await signIn(page, name, password);
  return page;
}

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

const connected = (page: Page): Promise<void> => page.getByText('Connected', { exact: true }).waitFor();
const said = (page: Page, text: string): Promise<void> => page.getByText(text).first().waitFor();

describe('sample/02-jwt-auth', () => {
  it('refuses a wrong password in words, and lets in with the right one', async () => {
    const page = await visitor('ada', 'wrong');
    await said(page, 'Wrong name or password.');
    await signIn(page, 'ada', 'lovelace');
    await connected(page);
    await said(page, 'The server knows you as ada.');
  });

  it('lets admins announce to everybody, and tells members that they may not', async () => {
    const [ada, bo] = [await visitor('ada', 'lovelace'), await visitor('bo', 'peep')];
    await Promise.all([connected(ada), connected(bo)]);
    await bo.getByLabel('Announcement').fill('I am the boss');
    await bo.getByRole('button', { name: 'Announce' }).click();
    await said(bo, 'This is for admins only.');
    await ada.getByLabel('Announcement').fill('Tea is ready');
    await ada.getByRole('button', { name: 'Announce' }).click();
    await said(ada, 'Everybody has heard it.');
    await said(bo, 'ada announces: Tea is ready');
    expect(await ada.getByText('I am the boss').count()).toBe(0);
  });

  it('opens the staff room to admins only, and shows the members who comes in', async () => {
    const [ada, bo] = [await visitor('ada', 'lovelace'), await visitor('bo', 'peep')];
    await Promise.all([connected(ada), connected(bo)]);
    await bo.getByRole('button', { name: 'Join staff' }).click();
    await said(bo, 'This room is not open to you.');
    await bo.getByRole('button', { name: 'Join lounge' }).click();
    await said(bo, 'You are in.');
    await ada.getByRole('button', { name: 'Join staff' }).click();
    await ada.getByRole('button', { name: 'Leave staff' }).waitFor();
    await ada.getByRole('button', { name: 'Join lounge' }).click();
    await said(bo, 'ada (admin) came into lounge.');
    await ada.getByRole('button', { name: 'Leave lounge' }).click();
    await said(bo, 'ada (admin) left lounge.');
  });

  it('renews the token over the connection that stands', async () => {
    const ada = await visitor('ada', 'lovelace');
    await connected(ada);
    await ada.getByRole('button', { name: 'Renew now' }).click();
    await said(ada, 'The token was renewed; the connection stayed.');
  });

  it('renews by itself when the server says that the token expires', async () => {
    const jwt = app.get(JwtService);
    const ada = await visitor('ada', 'lovelace');
    await connected(ada);
    // The page's own token is told at half of its minute: one that is about to end brings the notice at once.
    const token = jwt.sign({ sub: 'ada', userType: 'admin' }, { expiresIn: 3 });
    const offered = { protocols: ['pxl.v1', `bearer.${token}`], patience: 15_000 };
    const other = await TestClient.connect(`ws://127.0.0.1:${port}/ws`, offered);
    expect(await other.next('auth', 'expiring')).toMatchObject({ data: { expiresAt: expect.any(Number) } });
    await app.get(WebSocketService).sendToUsers(['ada'], {
      type: 'auth',
      action: 'expiring',
      data: { expiresAt: Date.now() + 30_000 },
    });
    await said(ada, 'The server says: the token expires in 30 s.');
    await said(ada, 'The token was renewed; the connection stayed.');
    expect((await other.closed).code).toBe(4005);
  });

  it('asks to sign in again when the token is gone', async () => {
    const ada = await visitor('ada', 'lovelace');
    await connected(ada);
    await app.get(WebSocketService).disconnectUser({ userId: 'ada', code: 4005 });
    await said(ada, 'Your token has expired. Sign in again.');
    await signIn(ada, 'bo', 'peep');
    await connected(ada);
  });

  it('fits a phone', async () => {
    const page = await visitor('bo', 'peep');
    await connected(page);
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  });
});
