import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page, type Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandLine, type RunningGateway } from '../support/command-line.ts';

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
// In CI a missing browser is a failure.
const skipped = !existsSync(executablePath) && !process.env.CI;
if (skipped) console.warn('\nNO CHROMIUM: every test of GraphiQL is SKIPPED in this run. Set CHROMIUM_PATH to one.\n');
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
args.push('--disable-background-networking', '--disable-component-update', '--disable-sync');

describe.skipIf(skipped)('GraphiQL, in a real browser', () => {
  let shell: CommandLine;
  let gateway: RunningGateway;
  let browser: Browser;
  let page: Page;
  /** Requested addresses. */
  let requests: string[];
  /** Errors and warnings of the page: exceptions, its console, violations of its security policy, failed requests. */
  let complaints: string[];

  beforeAll(async () => {
    shell = await CommandLine.open();
    gateway = await shell.serve();
    browser = await chromium.launch({ executablePath, args });
  });
  afterAll(async () => {
    await browser?.close();
    await shell?.close();
  });

  async function newPage(): Promise<void> {
    page = await (await browser.newContext({ viewport: { width: 1400, height: 900 } })).newPage();
    page.setDefaultTimeout(15_000);
    requests = [];
    complaints = [];
    page.context().on('request', (request) => requests.push(request.url()));
    page.context().on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
  }

  const closePage = () => page.context().close();

  async function open(): Promise<void> {
    await page.goto(gateway.url);
    await executeButton().waitFor();
  }

  const executeButton = () => page.getByRole('button', { name: /^Execute query/ });
  const variables = () => page.getByRole('region', { name: 'Variables' }).getByRole('code');
  const docs = () => page.locator('.graphiql-plugin');

  /** Clicks on execute. @returns the answer, once the page shows it */
  async function execute(): Promise<{ data?: unknown; errors?: unknown }> {
    const isAnswer = (request: Request) => /MySecrets|KeepSecret/.test(request.postData() ?? '');
    const answered = page.waitForResponse((response) => isAnswer(response.request()));
    await executeButton().click();
    const answer = await (await answered).json();
    const shown = page.getByRole('region', { name: 'Result Window' });
    await shown
      .getByText(`"${Object.keys(answer)[0]}"`)
      .first()
      .waitFor();
    return answer;
  }

  /** The tabs move into their places at first, so that a click could miss. */
  async function openTab(name: string): Promise<void> {
    const tab = page.getByRole('tab', { name }).first();
    const open = async () => {
      await tab.getByRole('button', { name }).click();
      return tab.getAttribute('aria-selected');
    };
    await expect.poll(open, { interval: 500, timeout: 20_000 }).toBe('true');
  }

  async function reload(): Promise<void> {
    await page.reload();
    await executeButton().waitFor();
  }

  /** Types a value into the variables of the example, and runs it. */
  async function keepSecret(value: string) {
    await openTab('KeepSecret');
    await typeValue(value);
    return execute();
  }

  async function typeValue(value: string): Promise<void> {
    await variables().getByText('""').click();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.type(value);
  }

  /** Runs one operation of a tab that has several. */
  async function executeOne(name: string): Promise<unknown> {
    const answered = page.waitForResponse((response) => (response.request().postData() ?? '').includes(name));
    await executeButton().click();
    await page.getByRole('menuitem', { name, exact: true }).click();
    return (await answered).json();
  }

  const editor = () => page.getByRole('region', { name: 'Operation Editor' });
  const stored = () => page.evaluate('JSON.stringify([{ ...sessionStorage }, { ...localStorage }])') as Promise<string>;
  const tabNames = () => page.getByRole('tab').allInnerTexts();

  // One tab each. A page takes seconds to load.
  describe('on one page', () => {
    beforeAll(async () => {
      await newPage();
      await open();
    });
    afterAll(closePage);

    it('runs its default query at the first click, with the development token', async () => {
      const { data, errors } = await execute();
      expect(errors).toBeUndefined();
      await page.getByRole('region', { name: 'Result Window' }).getByText('"developer"').waitFor();
      expect(data).toMatchObject({
        viewer: { subject: 'developer', teams: [{ id: 'demo', role: 'ADMIN' }] },
        secrets: { totalCount: 0, nodes: [] },
      });
    });

    it('has an example mutation that creates a secret once its value is filled in, and does not show the value again', async () => {
      const { data, errors } = await keepSecret('sk-proj-abcdefghijklmnop');
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({
        createSecret: { secret: { name: 'OPENAI_API_KEY' }, secrets: { totalCount: 1 } },
      });
      expect(JSON.stringify(data)).toContain('••••');
      expect(JSON.stringify(data)).not.toContain('sk-proj-abcdefghijklmnop');
    });

    it('shows the descriptions of types, fields and arguments', async () => {
      await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
      await docs().getByText('Mutation', { exact: true }).click();
      await docs().getByText('createSecret', { exact: true }).click();
      await docs().getByText('Creates a secret. The value is sealed before it reaches the store.').waitFor();
      await docs().getByText('CreateSecretInput', { exact: true }).click();
      await docs().getByText('Unique for the owner.').waitFor();
    });

    it('has a tab for each of the three systems, whose query runs at the first click', async () => {
      for (const system of ['ProviderSecrets', 'ControllerSecrets', 'ConnectorSecrets']) {
        await openTab(system);
        expect(await executeOne(system)).toMatchObject({ data: { secrets: { totalCount: expect.any(Number) } } });
      }
    });

    it('has a tab for keys that are used: it says how, and asks a provider about one', async () => {
      const create = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id useUrl } } }';
      const destination = { origin: 'https://api.example.com' };
      const input = { owner: { teamId: 'demo' }, name: 'USED', value: 'a value for this test', destination };
      const { id } = (await gateway.run(create, { input })).data.createSecret.secret;
      await openTab('UseSecrets');
      await editor().getByText('npx secrets-gateway use').first().waitFor();
      expect(await executeOne('UseSecrets')).toEqual({ data: { secrets: { nodes: expect.any(Array) } } });
      await typeValue(id);
      const secret = { name: 'USED', health: null };
      expect(await executeOne('CheckSecret')).toEqual({ data: { checkSecret: { result: 'UNSUPPORTED', secret } } });
    });

    it('completes names of the schema while typing', async () => {
      await openTab('MySecrets');
      await page.getByRole('region', { name: 'Operation Editor' }).getByText('totalCount').click();
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      await page.keyboard.type('page');
      await page.getByRole('option', { name: 'pageInfo' }).first().waitFor();
    });
  });

  describe('on a page of its own', () => {
    beforeEach(newPage);
    afterEach(closePage);

    it('follows changes as they happen', async () => {
      await open();
      await openTab('WatchSecrets');
      const begun = page.waitForResponse(
        (one) => one.headers()['content-type']?.startsWith('text/event-stream') ?? false,
      );
      await executeButton().click();
      await begun;
      const create = 'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id } } }';
      await gateway.run(create, { input: { name: 'WATCHED', provider: 'openai', value: 'a value for this test' } });
      const shown = page.getByRole('region', { name: 'Result Window' });
      await shown.getByText('"CREATED"').waitFor();
      await shown.getByText('"WATCHED"').waitFor();
    });

    it('keeps edits across a reload, and runs them at the first click', async () => {
      await open();
      await editor().getByText('totalCount').first().click();
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      // Without a bracket: whether the editor closes one depends on what it has loaded by then.
      await page.keyboard.type('counted: totalCount');
      await expect.poll(stored).toContain('counted');
      const tabs = await tabNames();
      await reload();
      await editor().getByText('counted').first().waitFor();
      expect(await tabNames()).toEqual(tabs);
      const { data, errors } = await execute();
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ secrets: { totalCount: expect.any(Number), counted: expect.any(Number) } });
    });

    it('keeps no value and no token, neither in its storage nor in the URL nor across a reload', async () => {
      await open();
      await keepSecret('hunter22');
      await editor().getByRole('code').click();
      await page.keyboard.type('# hunter22');
      await page.keyboard.press('Enter');
      await page.keyboard.type(
        'query Mine { secrets(filter: { name: "hunter22", provider: hunter22 } first: 22222222) { nodes { id ',
      );
      // What was typed is saved, without the values in it.
      await expect.poll(stored).toContain('Mine');
      expect(await stored()).toContain('OPENAI_API_KEY');
      const { Authorization } = /"(?<Authorization>Bearer ey[^"]+)"/.exec(await page.content())?.groups ?? {};
      expect(Authorization).toMatch(/^Bearer ey/);
      for (const secret of ['hunter22', '22222222', Authorization?.slice('Bearer '.length) ?? '']) {
        expect(await stored()).not.toContain(secret);
      }
      expect(await page.context().storageState({ indexedDB: true })).toEqual({ cookies: [], origins: [] });
      expect(page.url()).toBe(gateway.url);
      await reload();
      await editor().getByText('Mine').first().waitFor();
      expect(await page.locator('body').innerText()).not.toContain('hunter22');
    });

    it('sends what the Headers tab says: an API key, without the development token', async () => {
      await open();
      const input = { teamId: 'demo', name: 'explorer', scopes: ['secrets:read'] };
      const query = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } key } }';
      const headers = { authorization: `Bearer ${gateway.token}` };
      const made = await page.request.post(gateway.url, { headers, data: { query, variables: { input } } });
      const { apiKey, key } = (await made.json()).data.createApiKey;
      await page.getByRole('button', { name: 'Headers' }).click();
      await page.getByRole('region', { name: 'Headers' }).getByRole('code').click();
      await page.keyboard.insertText(JSON.stringify({ 'X-API-Key': key }));
      const { data, errors } = await execute();
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({ viewer: { subject: apiKey.id, scopes: ['secrets:read'] } });
      expect(complaints).toEqual([]);
    });

    it('requests nothing from another origin, and no request fails or is blocked', async () => {
      await open();
      await execute();
      await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
      await docs().getByText('Mutation', { exact: true }).waitFor();
      expect(complaints).toEqual([]);
      const { origin } = new URL(gateway.url);
      const foreign = requests.filter((url) => new URL(url).origin !== origin && !url.startsWith('data:'));
      expect(foreign).toEqual([]);
      // The page, the schema and the query: the list does record requests.
      expect(requests.filter((url) => url === gateway.url)).toHaveLength(3);
    });

    it('cannot reach another origin', async () => {
      await open();
      const elsewhere = `http://localhost:${new URL(gateway.url).port}/livez`;
      await expect(page.evaluate(`fetch(${JSON.stringify(elsewhere)}, { mode: 'no-cors' })`)).rejects.toThrow();
      await page.evaluate(
        `document.head.append(Object.assign(document.createElement('script'), { src: '${elsewhere}' }))`,
      );
      await expect.poll(() => complaints.join()).toMatch(/connect-src.*script-src/);
    });

    it('is for browsers only: a client that prefers data, or accepts no page, gets data', async () => {
      const typeFor = async (accept: string) => {
        const response = await page.request.get(`${gateway.url}?query=%7B__typename%7D`, { headers: { accept } });
        return response.headers()['content-type'];
      };
      expect(await typeFor('text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8')).toMatch(/^text\/html/);
      for (const accept of ['application/json, text/html;q=0.1', 'application/json, text/html;q=0', '*/*']) {
        expect(await typeFor(accept)).toMatch(/^application\/json/);
      }
    });

    it('cannot be framed', async () => {
      const response = await page.request.get(gateway.url, { headers: { accept: 'text/html' } });
      expect(response.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
      await page.goto('about:blank');
      await page.setContent(`<iframe src="${gateway.url}"></iframe>`);
      await expect.poll(() => page.frames()[1]?.url()).toMatch(/^chrome-error:/);
    });
  });
});
