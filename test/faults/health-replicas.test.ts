import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeProvider, settingsOf } from '../support/fake-provider.ts';
import { storeNames } from '../support/gateway.ts';
import { Keeper } from '../support/health.ts';
import { TwoReplicas } from '../support/two-replicas.ts';

describe.runIf(storeNames.includes('mongodb'))('the health of keys at two gateways', () => {
  let replicas: TwoReplicas;
  let provider: FakeProvider;
  beforeAll(async () => {
    provider = await FakeProvider.start();
    replicas = await TwoReplicas.start(await settingsOf(provider));
  });
  afterAll(async () => {
    await replicas?.close();
    await provider?.close();
  });

  const both = async () => {
    const here = await Keeper.new(replicas.here, provider);
    return [here, here.at(replicas.there)] as const;
  };

  it('is told once where uses and checks at both find out at the same time that the key is refused', async () => {
    const [here, there] = await both();
    const secret = await here.newSecret();
    for (let turns = 1; turns <= 3; turns += 1) {
      provider.known.delete(secret.key);
      const asked = Array.from({ length: 20 }, (_, at) => {
        const keeper = at % 2 === 0 ? here : there;
        return at < 16 ? keeper.use(secret.id) : keeper.result(secret.id);
      });
      expect(new Set(await Promise.all(asked))).toEqual(new Set([401, 'REJECTED']));
      expect([(await here.health(secret.id))?.[0], (await there.health(secret.id))?.[0]]).toEqual([
        'REJECTED',
        'REJECTED',
      ]);
      expect((await here.events(secret.id)).filter((type) => type === 'rejected')).toHaveLength(turns);
      provider.known.add(secret.key);
      expect([await there.use(secret.id), await here.health(secret.id)]).toEqual([200, ['VALID', 'USE']]);
    }
  });

  it('costs one budget of 30 checks a minute at both', async () => {
    const [here, there] = await both();
    const { id } = await here.newSecret();
    let checked = 0;
    for (let times = 0; times < 36; times += 1) {
      const { errors } = await (times % 2 === 0 ? here : there).check(id);
      if (errors.length === 0) checked += 1;
      else expect(errors[0]?.extensions.code).toBe('TOO_MANY_REQUESTS');
    }
    expect(checked).toBe(30);
  });
});
