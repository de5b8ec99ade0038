import { chromium, type Browser } from 'playwright-core';
import { ensureChromium } from './global-setup.js';

/** Of every Chromium of ours. */
export const SWITCHES = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the browser for the tests that look at a page. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: ensureChromium(), args: SWITCHES });
}

export { ensureChromium };
