import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Browser, Page } from 'playwright-core';
import { ShopModule } from '../../sample/05-service-to-service/src/shop/shop.module.js';
import { WarehouseModule } from '../../sample/05-service-to-service/src/warehouse/warehouse.module.js';
import { launchChromium } from '../support/chromium.js';
import { buildClientFile } from '../support/client-bundle.js';
import { freePort } from '../support/free-port.js';

let browser: Browser;
let warehousePort: number;
let warehouse: INestApplication | undefined;
let shop: INestApplication;
let page: Page;
const pageErrors: Error[] = [];

async function openWarehouse(): Promise<void> {
  warehouse = await NestFactory.create(WarehouseModule);
  await warehouse.listen(warehousePort, '127.0.0.1');
}

async function closeWarehouse(): Promise<void> {
  await warehouse?.close();
  warehouse = undefined;
}

async function visit(): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 900, height: 800 } });
  context.setDefaultTimeout(15_000);
  page = await context.newPage();
  page.on('pageerror', (error) => pageErrors.push(error));
  await page.goto((await shop.getUrl()).replace('[::1]', '127.0.0.1'));
}

beforeAll(async () => {
  Logger.overrideLogger(false);
  [browser] = await Promise.all([launchChromium(), buildClientFile()]);
});

beforeEach(async () => {
  warehousePort = await freePort();
  process.env.WAREHOUSE_URL = `ws://127.0.0.1:${warehousePort}/ws`;
  shop = await NestFactory.create(ShopModule);
  await shop.listen(0, '127.0.0.1');
});

afterEach(async () => {
  await page.context().close();
  await shop.close();
  await closeWarehouse();
  delete process.env.WAREHOUSE_URL;
  expect(pageErrors.splice(0)).toEqual([]);
});

afterAll(() => browser.close());

const said = (text: string): Promise<void> => page.getByText(text, { exact: true }).first().waitFor();
const buy = (item: string): Promise<void> => page.getByRole('button', { name: `Buy ${item}` }).click();
const left = (item: string, count: number): Promise<void> =>
  page.locator(`[data-item="${item}"] .left`, { hasText: new RegExp(`^${count}$`) }).waitFor();

describe('sample/05-service-to-service', () => {
  it('asks the warehouse, and passes on what it says', async () => {
    await openWarehouse();
    await visit();
    await said('The warehouse is there.');
    await left('tea', 5);
    await buy('tea');
    await said('You have bought tea.');
    await left('tea', 4);
    await said('4 tea left.');
  });

  it('answers what the warehouse asks, and passes on what it refuses', async () => {
    await openWarehouse();
    await visit();
    await left('cups', 2);
    for (const remaining of [1, 0]) {
      await buy('cups');
      await left('cups', remaining);
    }
    await buy('cups');
    await said('It has asked how many cups to fetch; the shop said 4.');
    await left('cups', 3);
    for (const remaining of [2, 1, 0]) {
      await buy('biscuits');
      await left('biscuits', remaining);
    }
    await buy('biscuits');
    await said('There are no biscuits left.');
  });

  it('opens without the warehouse, finds it when it comes, and again when it has been away', async () => {
    await visit();
    await said('The warehouse is away; the shop goes on trying.');
    for (let times = 0; times < 2; times++) {
      await openWarehouse();
      await said('The warehouse is there.');
      await closeWarehouse();
      await said('The warehouse is away; the shop goes on trying.');
    }
    await openWarehouse();
    await left('tea', 5);
  });

  it('fits a phone', async () => {
    await openWarehouse();
    await visit();
    await said('The warehouse is there.');
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  });
});
