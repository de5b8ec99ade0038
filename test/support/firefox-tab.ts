import { ensureFirefox } from './global-setup.js';
import { RemoteBrowser } from './remote-browser.js';

/** Firefox by WebDriver BiDi, without a driver beside it. */
export async function startFirefox(): Promise<RemoteBrowser> {
  const browser = await RemoteBrowser.start({
    file: ensureFirefox(),
    args: (folder) => ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', folder, 'about:blank'],
    announcement: /WebDriver BiDi listening on (\S+)/,
    path: '/session',
    end: 'browser.close',
  });
  await browser.send('session.new', { capabilities: {} });
  return browser;
}

interface Evaluated {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: { readonly text: string };
}

/** One tab of a Firefox that {@link startFirefox} has started. */
export class FirefoxTab {
  private constructor(
    private readonly browser: RemoteBrowser,
    private readonly context: string,
  ) {}

  static async open(browser: RemoteBrowser, url: string): Promise<FirefoxTab> {
    const { context } = await browser.send<{ context: string }>('browsingContext.create', { type: 'tab' });
    await browser.send('browsingContext.navigate', { context, url, wait: 'complete' });
    return new FirefoxTab(browser, context);
  }

  /** The value of an expression in the page, or of its promise, as JSON tells it. */
  async evaluate<T>(expression: string): Promise<T> {
    const { type, result, exceptionDetails } = await this.browser.send<Evaluated>('script.evaluate', {
      expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value ?? null))`,
      target: { context: this.context },
      awaitPromise: true,
    });
    if (type === 'success') return JSON.parse(result?.value ?? 'null') as T;
    throw new Error(exceptionDetails?.text);
  }

  /** What the browser tells its pages, and what it does with what they open from now on. */
  async setOffline(isOffline: boolean): Promise<void> {
    const networkConditions = isOffline ? { type: 'offline' } : null;
    await this.browser.send('emulation.setNetworkConditions', { networkConditions, contexts: [this.context] });
  }
}
