import { chromium, type Browser } from 'playwright-core';
import { ensureChromium } from './global-setup.js';

/**
 * What Chromium leaves out. It loads the list below its address bar as two pages into each window: that takes more of the
 * processor than our page does. The others are those that Playwright leaves out and a page may meet, since the last list counts.
 */
const FEATURES = [
  ...['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'],
  ...['AimEnabled', 'AvoidCorsURLLoaderRestartOnRedirect', 'AvoidUnnecessaryBeforeUnloadCheckSync'],
  ...[
    'DestroyProfileOnBrowserClose',
    'HttpsFirstBalancedModeAutoEnable',
    'HttpsUpgrades',
    'LensOverlay',
    'MediaRouter',
  ],
  ...['NetworkTimeServiceQuerying', 'OptimizationHints', 'PaintHolding', 'PreconnectToSearch'],
  'ThirdPartyStoragePartitioning',
];

/** Of every Chromium of ours. */
export const SWITCHES = [
  `--disable-features=${FEATURES.join(',')}`,
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
