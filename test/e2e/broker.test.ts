import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { revokeApiKey, withApiKey } from '../support/api-keys.ts';
import {
  mayUse,
  newUsable,
  newUser,
  newValue,
  refusal,
  refusedBy,
  type Usable,
  type User,
  useAs,
  userKinds,
  useSecret,
} from '../support/broker.ts';
import { storeNames, TestGateway } from '../support/gateway.ts';
import { deleteSecret, updateSecret } from '../support/graphql.ts';
import { type Arrived, Upstream } from '../support/upstream.ts';

const events = `query ($owner: OwnerInput!) { auditEvents(owner: $owner, filter: { types: ["secret.used"] }) {
  nodes { type actor { kind id } requestId secretId secretName version method origin purpose at } } }`;
const lastUse = 'query ($id: ID!) { secret(id: $id) { lastUsedAt version updatedAt } }';

/** The values of a header of what arrived. */
function valuesOf({ rawHeaders }: Arrived, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

describe.each(storeNames)('the broker on %s', (store) => {
  let gateway: TestGateway;
  let upstream: Upstream;
  beforeAll(async () => {
    gateway = await TestGateway.start(store);
    upstream = await Upstream.start();
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  describe.each(userKinds)('used with %s', (kind) => {
    let user: User;
    let secret: Usable;
    beforeAll(async () => {
      user = await newUser(gateway, kind);
      secret = await newUsable(gateway, user, upstream);
    });
    beforeEach(() => {
      upstream.arrived.length = 0;
    });

    it('sends the request on with the value in the place of the credential, and the answer back', async () => {
      const answer = await useAs(gateway, user, `${secret.id}/v1/chat/record?a=1%20b&c=%2F`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-of-the-sdk': '1.2', 'user-agent': 'sdk' },
        body: '{"prompt":"hello"}',
      });
      expect([answer.status, refusedBy(answer)]).toEqual([200, null]);
      const target = '/v1/chat/record?a=1%20b&c=%2F';
      expect(JSON.parse(answer.text)).toEqual({ method: 'POST', target, body: '{"prompt":"hello"}' });
      expect(valuesOf(upstream.last, 'authorization')).toEqual([`Bearer ${secret.value}`]);
      expect(valuesOf(upstream.last, 'host')).toEqual([new URL(upstream.origin).host]);
      expect(valuesOf(upstream.last, 'accept-encoding')).toEqual(['identity']);
      expect(valuesOf(upstream.last, 'x-of-the-sdk')).toEqual(['1.2']);
      expect(valuesOf(upstream.last, 'user-agent')).toEqual(['sdk']);
      expect(upstream.last.head).not.toContain(user.credential);
    });

    it('takes the URL of the secret as a base URL, and its placeholder in the place of the id', async () => {
      expect(secret.useUrl).toBe(`${new URL(gateway.url).origin}/v1/use/${secret.id}`);
      const headers = { authorization: `Bearer ${user.credential}` };
      expect(await (await fetch(`${secret.useUrl}/ok`, { headers })).text()).toBe('fine');
      for (const selector of [secret.placeholder, secret.id.toUpperCase()]) {
        expect((await useAs(gateway, user, `${selector}/ok`)).text).toBe('fine');
      }
      for (const path of ['', '/', '?x=1']) {
        expect((await useAs(gateway, user, `${secret.id}${path}`)).text).toBe('fine');
      }
      expect(upstream.arrived.map(({ target }) => target)).toEqual(['/ok', '/ok', '/ok', '/', '/', '/?x=1']);
    });

    it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])('passes %s', async (method) => {
      const answer = await useAs(gateway, user, `${secret.id}/ok`, { method });
      expect([answer.status, refusedBy(answer), answer.text]).toEqual([200, null, method === 'HEAD' ? '' : 'fine']);
      expect(upstream.arrived.map((arrived) => arrived.method)).toEqual([method]);
    });

    it('passes the statuses of the upstream, with its body and headers', async () => {
      for (const status of [201, 204, 301, 304, 400, 401, 403, 404, 418, 429, 500, 502, 503]) {
        const answer = await useAs(gateway, user, `${secret.id}/status?is=${status}`);
        expect([answer.status, refusedBy(answer), answer.headers['x-upstream']]).toEqual([status, null, 'yes']);
        expect(answer.text).toBe(status === 204 || status === 304 ? '' : `status ${status}`);
      }
    });

    it('finds the credential in Proxy-Authorization first, and in the header of the destination in its format', async () => {
      const formatted = await newUsable(gateway, user, upstream, { header: 'X-Token', format: 'key={value};' });
      const { credential } = user;
      const sent = [
        { 'proxy-authorization': `Bearer ${credential}` },
        { 'proxy-authorization': `Bearer ${credential}`, 'x-token': 'what the SDK has' },
        { 'x-token': `key=${credential};` },
        { 'x-token': credential },
        { 'x-token': `Bearer ${credential}` },
        ...(kind === 'an API key' ? [{ 'x-api-key': credential }] : []),
      ];
      for (const headers of sent) {
        expect((await useSecret(gateway, `${formatted.id}/ok`, { headers })).text).toBe('fine');
        expect(valuesOf(upstream.last, 'x-token')).toEqual([`key=${formatted.value};`]);
        expect(upstream.last.head).not.toContain(credential);
        expect(upstream.last.head.toLowerCase()).not.toContain('proxy-authorization');
      }
      expect(upstream.arrived).toHaveLength(sent.length);
    });

    it('refuses a credential that is missing, wrong, ended, twice there or in another header than the destination’s', async () => {
      const { credential } = user;
      const other = (await newUser(gateway, 'a JWT')).credential;
      const altered = credential.slice(0, -4) + (credential.endsWith('AAAA') ? 'BBBB' : 'AAAA');
      const expired = await gateway.issuer.token({ exp: 1 });
      const path = `${secret.id}/ok`;
      for (const headers of [
        {},
        { authorization: 'Bearer nothing' },
        { authorization: `Bearer ${altered}` },
        { authorization: `Bearer ${expired}` },
        { 'proxy-authorization': `Bearer ${altered}`, authorization: `Bearer ${credential}` },
        { 'x-other': credential },
        { 'x-other': `Bearer ${credential}` },
      ] as Record<string, string>[]) {
        const answer = await useSecret(gateway, path, { headers });
        expect([refusedBy(answer), answer.status]).toEqual(['UNAUTHORIZED', 401]);
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      }
      for (const headers of [
        { authorization: `Bearer ${credential}`, 'x-other': other },
        { authorization: [`Bearer ${credential}`, `Bearer ${credential}`] },
        { 'proxy-authorization': `Bearer ${credential}`, 'x-other': `Bearer ${other}` },
      ] as Record<string, string | string[]>[]) {
        expect(refusedBy(await useSecret(gateway, path, { headers }))).toBe('BAD_REQUEST');
      }
      expect(upstream.arrived).toEqual([]);
    });

    it('needs the scope secrets:use, before anything is looked up', async () => {
      const without = await newUser(gateway, kind, 'secrets:read secrets:write');
      for (const selector of [secret.id, crypto.randomUUID(), 'sec_000000000']) {
        const answer = await useAs(gateway, without, `${selector}/ok`);
        expect([refusedBy(answer), answer.status]).toEqual(['PERMISSION_ERROR', 403]);
      }
      expect(upstream.arrived).toEqual([]);
    });

    it('knows neither the secrets of others nor those that are not there, and both alike', async () => {
      const other = await newUser(gateway, kind);
      const alike = new Set<string>();
      for (const selector of [secret.id, secret.placeholder, crypto.randomUUID(), 'sec_000000000']) {
        const answer = await useAs(gateway, other, `${selector}/ok`);
        expect([refusedBy(answer), answer.status]).toEqual(['NOT_FOUND', 404]);
        alike.add(answer.text.replace(/"requestId":"[^"]+"/, ''));
      }
      expect(alike.size).toBe(1);
      expect(upstream.arrived).toEqual([]);
    });

    it('uses a placeholder in the caller’s own owner only, and an id wherever the caller may', async () => {
      const teamId = `team-${crypto.randomUUID()}`;
      const token = await gateway.issuer.token({ sub: user.id, teams: [teamId], scope: mayUse });
      const member: User = { ...user, credential: token, options: { token } };
      const ofTeam = await newUsable(gateway, member, upstream, { owner: { teamId } });
      expect((await useAs(gateway, member, `${ofTeam.id}/ok`)).text).toBe('fine');
      expect(refusedBy(await useAs(gateway, member, `${ofTeam.placeholder}/ok`))).toBe('NOT_FOUND');
    });

    it('sends nothing of a secret without a destination', async () => {
      const none = await newUsable(gateway, user, upstream);
      const input = { id: none.id, value: newValue(), destination: null };
      const { data } = await gateway.run(updateSecret('useUrl destination { origin }'), { input }, user.options);
      expect(data.updateSecret.secret).toEqual({ useUrl: null, destination: null });
      expect(refusal(await useAs(gateway, user, `${none.id}/ok`))).toEqual(['UNPROCESSABLE_ENTITY', 'no_destination']);
      expect(upstream.arrived).toEqual([]);
    });

    it('allows prefixes of whole segments', async () => {
      const limited = await newUsable(gateway, user, upstream, { paths: ['/v1', '/only/this'] });
      for (const path of ['/v1', '/v1/', '/v1/ok', '/v1/a/b/ok?x=/v2', '/only/this', '/only/this/ok']) {
        expect([path, refusedBy(await useAs(gateway, user, limited.id + path))]).toEqual([path, null]);
      }
      expect(upstream.arrived).toHaveLength(6);
      for (const path of ['', '/', '/v2', '/v10', '/v1x/ok', '/V1/ok', '/only', '/only/thisx', '/a/v1']) {
        const answer = await useAs(gateway, user, limited.id + path);
        expect([path, ...refusal(answer)]).toEqual([path, 'UNPROCESSABLE_ENTITY', 'path_not_allowed']);
      }
      expect(upstream.arrived).toHaveLength(6);
    });

    it('uses the value and the destination of now, and nothing of a secret that is deleted', async () => {
      const changing = await newUsable(gateway, user, upstream);
      const next = newValue();
      const input = { id: changing.id, value: next, destination: { origin: upstream.origin, header: 'X-Next' } };
      await gateway.run(updateSecret(), { input }, user.options);
      expect(refusedBy(await useAs(gateway, user, `${changing.id}/ok`))).toBe('UNAUTHORIZED');
      expect(upstream.arrived).toEqual([]);
      const headers = { 'x-next': user.credential };
      expect((await useSecret(gateway, `${changing.id}/ok`, { headers })).text).toBe('fine');
      expect(valuesOf(upstream.last, 'x-next')).toEqual([`Bearer ${next}`]);
      await gateway.run(deleteSecret, { input: { id: changing.id } }, user.options);
      expect(refusedBy(await useSecret(gateway, `${changing.id}/ok`, { headers }))).toBe('NOT_FOUND');
      expect(upstream.arrived).toHaveLength(1);
    });

    it('has the audit event in the store before the first byte reaches the upstream, with method and origin only', async () => {
      const audited = await newUsable(gateway, user, upstream);
      const other = await openStore(gateway.databaseUrl);
      const record = await other.findRecord(audited.id);
      if (!record) throw new Error('the secret is not there');
      const atArrival: string[][] = [];
      upstream.onArrival = async () => {
        const told = await other.auditEvents(record.owner, 0, 1000);
        atArrival.push(told.filter(({ secretId }) => secretId === audited.id).map(({ type }) => type));
      };
      const before = Date.now();
      const answer = await useAs(gateway, user, `${audited.id}/a/path/record?query=1`, { method: 'PUT', body: 'body' });
      upstream.onArrival = () => {};
      await other.close();
      expect(atArrival).toEqual([['secret.created', 'secret.used']]);
      const owner = kind === 'a JWT' ? {} : { teamId: (record.owner as { teamId: string }).teamId };
      const token = kind === 'a JWT' ? user.credential : await adminOf(owner.teamId ?? '');
      const { data } = await gateway.run(events, { owner }, { token });
      const [event] = data.auditEvents.nodes.filter(({ secretId }: { secretId: string }) => secretId === audited.id);
      expect(event).toMatchObject({
        actor: { kind: user.kind, id: user.id },
        requestId: answer.headers['x-request-id'],
        secretName: audited.name,
        version: 1,
        method: 'PUT',
        origin: upstream.origin,
        purpose: null,
      });
      expect(JSON.stringify(event)).not.toMatch(/path|query=|body/);
      const used = await gateway.run(lastUse, { id: audited.id }, user.options);
      expect(used.data.secret).toMatchObject({ version: 1, lastUsedAt: event.at });
      expect(Date.parse(event.at)).toBeGreaterThanOrEqual(before);
    });

    it('shares no connection to an upstream between owners, and keeps one for the next request of the same', async () => {
      const others = await Promise.all([newUser(gateway, kind), newUser(gateway, kind)]);
      const usable = await Promise.all(others.map((one) => newUsable(gateway, one, upstream)));
      const used = [new Set<number>(), new Set<number>()];
      for (let round = 0; round < 6; round += 1) {
        const at = round % 2;
        await useAs(gateway, others[at] as User, `${usable[at]?.id}/ok`);
        used[at]?.add(upstream.last.connection);
      }
      const [one, other] = used as [Set<number>, Set<number>];
      expect([...one].filter((connection) => other.has(connection))).toEqual([]);
      expect([one.size, other.size]).toEqual([1, 1]);
    });
  });

  it('refuses a revoked key at once, also on a connection that it used before', async () => {
    const user = await newUser(gateway, 'an API key');
    const secret = await newUsable(gateway, user, upstream);
    expect((await useAs(gateway, user, `${secret.id}/ok`)).text).toBe('fine');
    const { data } = await gateway.run('{ viewer { subject teams { id } } }', {}, withApiKey(user.credential));
    const token = await adminOf(data.viewer.teams[0].id);
    expect((await gateway.run(revokeApiKey, { input: { id: user.id } }, { token })).errors).toEqual([]);
    expect(refusedBy(await useAs(gateway, user, `${secret.id}/ok`))).toBe('UNAUTHORIZED');
  });

  it('counts uses of one secret by all callers together, and tells when to come back', async () => {
    await gateway.stop();
    await gateway.launch({ BROKER_RATE_LIMIT: '2/60s' });
    const teamId = `team-${crypto.randomUUID()}`;
    const members = await Promise.all(
      ['one', 'two'].map((sub) => gateway.issuer.token({ sub, teams: [teamId], scope: mayUse })),
    );
    const users = members.map((token): User => ({ id: '', kind: 'USER', credential: token, options: { token } }));
    const [one, two] = users as [User, User];
    const [busy, idle] = [
      await newUsable(gateway, one, upstream, { owner: { teamId } }),
      await newUsable(gateway, one, upstream, { owner: { teamId } }),
    ];
    for (const user of [one, two]) expect(refusedBy(await useAs(gateway, user, `${busy.id}/ok`))).toBeNull();
    upstream.arrived.length = 0;
    const answer = await useAs(gateway, two, `${busy.id}/ok`);
    expect([refusedBy(answer), answer.status]).toEqual(['TOO_MANY_REQUESTS', 429]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(upstream.arrived).toEqual([]);
    expect(refusedBy(await useAs(gateway, two, `${idle.id}/ok`))).toBeNull();
  });

  function adminOf(teamId: string): Promise<string> {
    const scope = 'secrets:read keys:manage';
    return gateway.issuer.token({ sub: 'grace', teams: [{ id: teamId, role: 'admin' }], scope });
  }
});
