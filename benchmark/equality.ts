// Whether the time of an answer tells if two values are the same: paired tries, with a value that is the same as a stored one and
// with another of the same length, in turns. Run it with: npx node benchmark/equality.ts

import { randomBytes, randomUUID } from 'node:crypto';
import { CommandLine, type RunningGateway } from '../test/support/command-line.ts';
import { createSecret, updateSecret } from '../test/support/graphql.ts';
import { Issuer } from '../test/support/issuer.ts';
import { startReplicaSet, withDatabase } from '../test/support/mongod.ts';
import { say } from './progress.ts';
import { median } from './statistics.ts';

const tries = 200;
const warmUps = 40;
/** A caller may compare 30 times a minute. */
const perCaller = 20;
const matches = 'query ($owner: OwnerInput!, $value: String) { matchesSecret(owner: $owner, value: $value) { id } }';
const team = { teamId: 'red' };
const everyScope = 'secrets:read secrets:write secrets:resolve secrets:match';
const withoutMatch = 'secrets:read secrets:write secrets:resolve';

const newValue = () => randomBytes(24).toString('base64url');

/** One try, with the value that is stored or with another. @returns how long the answer took, in µs */
type Try = (value: string, index: number) => Promise<number>;

async function timed(gateway: RunningGateway, token: string, query: string, variables: object): Promise<number> {
  const body = JSON.stringify({ query, variables });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const startedMs = performance.now();
  const response = await fetch(gateway.url, { method: 'POST', headers, body });
  await response.text();
  return (performance.now() - startedMs) * 1000;
}

/** The median of the differences of pairs, and the range in which it is with a probability of 95 % (by the signs of differences). */
async function paired(what: string, stored: string, run: Try): Promise<void> {
  const [same, other]: [number[], number[]] = [[], []];
  // One for all tries: a value that is new each time would differ from the stored one in that, too.
  const another = newValue();
  for (let index = -warmUps; index < tries; index += 1) {
    const first = index % 2 === 0;
    for (const isSame of [first, !first]) {
      const us = await run(isSame ? stored : another, index);
      if (index >= 0) (isSame ? same : other).push(us);
    }
  }
  const differences = same.map((us, index) => us - (other[index] ?? Number.NaN)).toSorted((a, b) => a - b);
  const beside = Math.round(0.98 * Math.sqrt(tries));
  const [low, high] = [differences[tries / 2 - 1 - beside], differences[tries / 2 + beside]];
  const longer = differences.filter((difference) => difference > 0).length;
  say(
    `${what}: ${Math.round(median(same))} µs the same, ${Math.round(median(other))} µs another; difference ${Math.round(median(differences))} µs ` +
      `(${Math.round(low ?? Number.NaN)} to ${Math.round(high ?? Number.NaN)}); the same took longer in ${longer} of ${tries}`,
  );
}

async function measure(store: string, env: Record<string, string>): Promise<void> {
  const issuer = await Issuer.start();
  const shell = await CommandLine.open();
  try {
    const settings = { JWT_ISSUER: issuer.issuer, JWT_AUDIENCE: issuer.audience, JWT_JWKS_URL: issuer.jwksUrl };
    const gateway = await shell.serve({ ...settings, RATE_LIMIT: 'off', ...env });
    const newCaller = (scope: string) => issuer.token({ sub: randomUUID(), scope, teams: ['red', 'blue'] });
    const writer = await newCaller(withoutMatch);
    const stored = newValue();
    const create = async (owner: object) => {
      const input = { owner, name: randomUUID(), value: stored };
      const { data } = (await gateway.run(createSecret(), { input }, writer)) as {
        data: { createSecret: { secret: { id: string } } };
      };
      return data.createSecret.secret.id;
    };
    const id = await create(team);
    for (let index = 0; index < 100; index += 1) await create({ teamId: 'blue', connectorId: String(index) });

    await paired(`${store}, matchesSecret without secrets:match`, stored, (value) =>
      timed(gateway, writer, matches, { owner: team, value }),
    );
    const query = updateSecret('id version');
    await paired(`${store}, updateSecret without secrets:match`, stored, async (value) => {
      const us = await timed(gateway, writer, query, { input: { id, value } });
      await timed(gateway, writer, query, { input: { id, value: stored } });
      return us;
    });
    const dryRun = `mutation ($input: CreateSecretsInput!) { createSecrets(input: $input) { items { action } } }`;
    const compared = randomUUID();
    await gateway.run(createSecret(), { input: { owner: team, name: compared, value: stored } }, writer);
    await paired(`${store}, a dry run of createSecrets without secrets:match`, stored, (value) => {
      const input = { owner: team, secrets: [{ name: compared, value }], onConflict: 'UPDATE', dryRun: true };
      return timed(gateway, writer, dryRun, { input });
    });
    const callers = await Promise.all(
      Array.from({ length: Math.ceil((tries + warmUps) / perCaller) * 3 }, () => newCaller(everyScope)),
    );
    let asked = 0;
    const next = () => {
      asked += 1;
      return callers[Math.floor(asked / perCaller) % callers.length] ?? '';
    };
    await paired(`${store}, matchesSecret for an owner without it, where 100 others have it`, stored, (value) =>
      timed(gateway, next(), matches, { owner: { teamId: 'blue' }, value }),
    );
    await gateway.stop();
  } finally {
    await shell.close();
    await issuer.close();
  }
}

await measure('SQLite', {});
const replicaSet = await startReplicaSet();
try {
  await measure('MongoDB', { DATABASE_URL: withDatabase(replicaSet.uri, 'equality') });
} finally {
  await replicaSet.stop();
}
