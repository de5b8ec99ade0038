import { ensureChromium, SWITCHES } from './chromium.js';
import { RemoteBrowser } from './remote-browser.js';

/** Chromium as its users have it, by its own protocol: Playwright switches off that pages are kept for the way back. */
export function startChromium(): Promise<RemoteBrowser> {
  return RemoteBrowser.start({
    file: ensureChromium(),
    args: (folder) => [
      ...SWITCHES,
      '--headless=new',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      'about:blank',
    ],
    announcement: /DevTools listening on (\S+)/,
    end: 'Browser.close',
  });
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

/** One tab of a Chromium that {@link startChromium} has started. */
export class ChromiumTab {
  private constructor(
    private readonly browser: RemoteBrowser,
    private readonly targetId: string,
    private readonly sessionId: string,
  ) {}

  /** Resolves once the page has been loaded. */
  static async open(browser: RemoteBrowser, url: string): Promise<ChromiumTab> {
    const { targetId } = await browser.send<{ targetId: string }>('Target.createTarget', { url });
    const { sessionId } = await browser.send<{ sessionId: string }>('Target.attachToTarget', {
      targetId,
      flatten: true,
    });
    const tab = new ChromiumTab(browser, targetId, sessionId);
    while (!(await tab.evaluate("document.readyState === 'complete' && location.protocol !== 'about:'"))) continue;
    return tab;
  }

  /** The value of an expression in the page that is shown now, or of its promise. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send<Evaluated>('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (!exceptionDetails) return result.value as T;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  }

  /** Follows a link, as it were. */
  async go(url: string): Promise<void> {
    await this.#send('Page.navigate', { url });
  }

  /** The button back, or forward: by so many pages. */
  async turn(pages: number): Promise<void> {
    const { currentIndex, entries } = await this.#send<{ currentIndex: number; entries: { id: number }[] }>(
      'Page.getNavigationHistory',
    );
    await this.#send('Page.navigateToHistoryEntry', { entryId: entries[currentIndex + pages]!.id });
  }

  /** What the browser does with tabs that nobody has looked at for a while. */
  async freeze(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** Somebody looks at it again. */
  async thaw(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'active' });
    await this.#send('Page.bringToFront');
  }

  async setOffline(offline: boolean): Promise<void> {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.#send('Network.emulateNetworkConditions', conditions);
  }

  async close(): Promise<void> {
    await this.browser.send('Target.closeTarget', { targetId: this.targetId });
  }

  #send<T>(method: string, params: object = {}): Promise<T> {
    return this.browser.send<T>(method, params, this.sessionId);
  }
}
