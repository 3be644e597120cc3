// What a delivery costs beside a create, and what one of a thousand secrets costs, in CPU time of the gateway's process.
// Run it with: npx node benchmark/deliveries.ts

import { join } from 'node:path';
import { CommandLine, type RunningGateway } from '../test/support/command-line.ts';
import { newRecipient, resolveSecrets } from '../test/support/deliveries.ts';
import { createSecret, newSecret } from '../test/support/graphql.ts';
import { Issuer } from '../test/support/issuer.ts';
import { startReplicaSet, withDatabase } from '../test/support/mongod.ts';
import type { Measured } from '../test/support/process-meter.ts';
import { say } from './progress.ts';

const rounds = 15;
const perRound = 200;
/** At once, as in the cell of creates of the other benchmark. */
const connections = 32;
const thousands = 7;
const owner = { teamId: 'red' };
const many = { teamId: 'red', connectorId: 'many' };

class Subject {
  readonly #gateway: RunningGateway;
  readonly #token: string;

  constructor(gateway: RunningGateway, token: string) {
    this.#gateway = gateway;
    this.#token = token;
  }

  async run(query: string, input: object): Promise<void> {
    const response = await fetch(this.#gateway.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
      body: JSON.stringify({ query, variables: { input } }),
    });
    const text = await response.text();
    if (!response.ok || text.includes('"errors"')) throw new Error(text.slice(0, 500));
  }

  /** @returns the CPU time in ms that the work took in the gateway's process */
  async cpuMs(work: () => Promise<unknown>): Promise<number> {
    await this.#gateway.ask('take');
    await work();
    const { cpuMs, slowness } = (await this.#gateway.ask('take')) as Measured;
    return cpuMs * slowness;
  }
}

async function together(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const one = async () => {
    for (; left > 0; left -= 1) await work();
  };
  await Promise.all(Array.from({ length: connections }, one));
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function measure(what: string, env: Record<string, string>): Promise<void> {
  const issuer = await Issuer.start();
  const shell = await CommandLine.open();
  try {
    const settings = {
      JWT_ISSUER: issuer.issuer,
      JWT_AUDIENCE: issuer.audience,
      JWT_JWKS_URL: issuer.jwksUrl,
      RATE_LIMIT: 'off',
    };
    const meter = join(import.meta.dirname, '../test/support/process-meter.ts');
    const gateway = await shell.serve({ ...settings, ...env }, [meter]);
    const token = await issuer.token({ scope: 'secrets:read secrets:write secrets:resolve' });
    const subject = new Subject(gateway, token);
    const { publicJwk: recipient } = await newRecipient('X25519');
    const create = () => subject.run(createSecret('id version'), { ...newSecret(), owner });
    await subject.run(createSecret(), { owner, name: 'one', value: 'sk-proj-0123456789abcdefghijklmnop' });
    const resolve = () => subject.run(resolveSecrets('id version'), { owner, names: ['one'], recipient });
    for (let made = 0; made < 1000; made += 50) {
      const some = Array.from({ length: 50 }, (_, index) => ({
        owner: many,
        name: `${made + index}`,
        value: 'a value',
      }));
      await Promise.all(some.map((input) => subject.run(createSecret(), input)));
    }
    // Both are compiled by then.
    await together(1500, create);
    await together(1500, resolve);

    const pairs: { created: number; resolved: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const created = (await subject.cpuMs(() => together(perRound, create))) / perRound;
      const resolved = (await subject.cpuMs(() => together(perRound, resolve))) / perRound;
      pairs.push({ created, resolved });
    }
    const ratio = median(pairs.map(({ created, resolved }) => resolved / created));
    const microseconds = (values: number[]) => `${(1000 * median(values)).toFixed(0)} µs`;
    const all = () => subject.run(resolveSecrets('id name'), { owner: many, recipient });
    const each: number[] = [];
    for (let round = 0; round < thousands; round += 1) each.push(await subject.cpuMs(all));
    say(
      `${what}: create ${microseconds(pairs.map(({ created }) => created))}, resolve one ${microseconds(pairs.map(({ resolved }) => resolved))}, ratio ${ratio.toFixed(2)}; a thousand ${median(each).toFixed(0)} ms (${Math.min(...each).toFixed(0)} to ${Math.max(...each).toFixed(0)})`,
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
  await measure('MongoDB', { DATABASE_URL: withDatabase(replicaSet.uri, 'deliveries') });
} finally {
  await replicaSet.stop();
}
