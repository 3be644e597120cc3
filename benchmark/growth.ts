import type { Owner } from '../src/model/owner.ts';
import { Contender } from './contender.ts';
import { type Holding, loadDatabase, loadSqlite } from './database.ts';
import { type Goal, limited, ratioText } from './goals.ts';
import { type Identities, reader, teamsOf } from './identities.ts';
import { counter } from './load.ts';
import type { LoadProcess } from './load-process.ts';
import { type Figures, type Instruments, measureOnce } from './measure.ts';
import { progress } from './progress.ts';
import { recordOf } from './records.ts';
import { table } from './report.ts';
import { median, pairedRatio } from './statistics.ts';
import { create, list, type Work } from './work.ts';

const everybody: Owner = { type: 'user', userId: reader(0) };

/** The reader owns half of the secrets; of the other half, connectors of its team own 100 each. */
function grown(total: number): Holding[] {
  const half = total / 2;
  const connectors = Array.from({ length: half / 100 }, (_, n) => {
    const owner: Owner = { type: 'connector', ...connectorAt(String(n).padStart(counter.length, '0')) };
    return { owner, from: half + n * 100, count: 100 };
  });
  return [{ owner: everybody, from: 0, count: half }, ...connectors];
}

const connectorAt = (number: string) => ({ teamId: teamsOf(0)[0] ?? '', connectorId: `connector-${number}` });

/** Lists one connector after another, so that the pages of the database differ. */
const listAnyOf = (connectors: number): Work => ({
  ...mine,
  query: `query List($owner: OwnerInput!) { secrets(owner: $owner, first: 20) {
    totalCount nodes { id name placeholder maskedValue tags version createdAt updatedAt } } }`,
  variables: () => ({ owner: connectorAt(counter) }),
  cycle: connectors,
});

/** The reader is one of the owners, who all have the same number of secrets. */
function shared(total: number, owners: number): Holding[] {
  const count = total / owners;
  return Array.from({ length: owners }, (_, n) => {
    const owner: Owner = n === 0 ? everybody : { type: 'user', userId: `somebody-${n}` };
    return { owner, from: n * count, count };
  });
}

/** Several connections send it at once in the warm-up. */
const mine: Work = { ...list, subject: () => reader(0) };

const filtered = (name: string, filter: Record<string, unknown>, count: boolean): Work => ({
  ...mine,
  name,
  query: `query List($filter: SecretFilter) { secrets(first: 20, filter: $filter) {
    ${count ? 'totalCount' : ''} nodes { id name placeholder maskedValue tags version createdAt updatedAt } } }`,
  variables: () => ({ filter }),
});

const pageAt = (after: string | null): Work => ({
  ...mine,
  name: after === null ? 'first page' : 'page at depth',
  query: `query List($after: String) { secrets(first: 20, after: $after) {
    nodes { id name placeholder maskedValue tags version createdAt updatedAt } } }`,
  variables: () => ({ after }),
});

export interface GrowthRow {
  readonly what: string;
  readonly peer: string | null;
  readonly p50Milliseconds: readonly number[];
  readonly peerP50Milliseconds: readonly number[];
}

export interface Growth {
  readonly rows: readonly GrowthRow[];
  readonly goals: readonly Goal[];
}

const depth = 50_000;

export interface GrowthOptions {
  readonly mongodbUri: string;
  readonly directory: string;
  readonly identities: Identities;
  readonly instruments: Instruments;
  readonly rounds: number;
  readonly seconds: number;
  /** Numbers of secrets; in the largest the reader must own twice the depth. */
  readonly sizes: readonly number[];
}

/** Measures how much slower answers become with more data: one request at a time, alternating. */
export async function measureGrowth(options: GrowthOptions): Promise<Growth> {
  const { mongodbUri, directory, identities, instruments, rounds, seconds, sizes } = options;
  const { load } = instruments;
  const contenders: Contender[] = [];
  const start = async (url: string, name: 'secrets-gateway' | 'secrets-gateway, SQLite' = 'secrets-gateway') => {
    const contender = await Contender.start(name, url, identities);
    contenders.push(contender);
    return contender;
  };

  /** The p50 of each, measured alternately. */
  async function alternating(
    whats: readonly { what: string; contender: Contender; work: Work }[],
  ): Promise<GrowthRow[]> {
    for (const { contender, work } of whats) await load.run(contender.port, work, 8, seconds);
    const figures = whats.map((): Figures[] => []);
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, { what, contender, work }] of whats.entries()) {
        progress(`growth, round ${round + 1}: ${what}`, round * whats.length + index, rounds * whats.length);
        figures[index]?.push(await measureOnce(contender, instruments, { work, connections: 1, seconds }));
      }
    }
    const p50s = figures.map((rounds) => rounds.map((one) => one.p50Milliseconds));
    return whats.map(({ what }, index) => ({
      what,
      peer: index === 0 ? null : (whats[0]?.what ?? null),
      p50Milliseconds: p50s[index] ?? [],
      peerP50Milliseconds: p50s[0] ?? [],
    }));
  }

  try {
    const bySize = [];
    for (const size of sizes) {
      const url = await loadDatabase(mongodbUri, `growth-${size}`, grown(size));
      bySize.push({ size, secrets: size.toLocaleString('en'), contender: await start(url) });
    }
    const sizeRows = await alternating(
      bySize.map(({ size, secrets, contender }) => {
        return {
          what: `list of any of ${size / 200} owners, ${secrets} secrets`,
          contender,
          work: listAnyOf(size / 200),
        };
      }),
    );
    const holderRows = await alternating(
      bySize.map(({ secrets, contender }) => {
        return { what: `list of who holds half, ${secrets} secrets`, contender, work: mine };
      }),
    );
    const largest = bySize.at(-1)?.contender;
    if (!largest) return { rows: sizeRows, goals: [] };

    const cursor = await cursorAt(largest, load, depth);
    const depthRows = await alternating([
      { what: 'first page', contender: largest, work: pageAt(null) },
      { what: `page at depth ${depth.toLocaleString('en')}`, contender: largest, work: pageAt(cursor) },
    ]);
    const filterRows = await alternating([
      { what: 'no filter', contender: largest, work: filtered('no filter', {}, false) },
      { what: 'tag of 1 in 100', contender: largest, work: filtered('rare', { tags: ['rare'] }, false) },
      {
        what: 'tag of 1 in 100 and a common one',
        contender: largest,
        work: filtered('both', { tags: ['production', 'rare'] }, false),
      },
      { what: 'name prefix', contender: largest, work: filtered('prefix', { nameStartsWith: 'SECRET_0000' }, false) },
      { what: 'tag of 1 in 100, counted', contender: largest, work: filtered('counted', { tags: ['rare'] }, true) },
    ]);

    const byOwners = [];
    for (const owners of [1, 10, 1000]) {
      const url = await loadDatabase(mongodbUri, `owners-${owners}`, shared(100_000, owners));
      byOwners.push({ what: `list, 100,000 of ${owners} owners`, contender: await start(url), work: mine });
    }
    const ownerRows = await alternating(byOwners);

    const embedded = [];
    for (const size of sizes.filter((one) => one <= 100_000)) {
      const url = await loadSqlite(directory, `growth-${size}`, grown(size));
      embedded.push({ size: size.toLocaleString('en'), contender: await start(url, 'secrets-gateway, SQLite') });
    }
    const sqliteRows = await alternating(
      embedded.map(({ size, contender }) => ({ what: `SQLite list, ${size} secrets`, contender, work: mine })),
    );
    const sqliteWrites = await alternating(
      embedded.map(({ size, contender }) => ({ what: `SQLite create, ${size} secrets`, contender, work: create })),
    );

    const goals = [
      goalOf(`p50 of a list at ${sizes.at(-1)?.toLocaleString('en')} / at ${sizes[0]?.toLocaleString('en')}`, sizeRows),
      goalOf(`page at depth ${depth.toLocaleString('en')} / first page`, depthRows),
    ];
    return {
      rows: [...sizeRows, ...holderRows, ...depthRows, ...filterRows, ...ownerRows, ...sqliteRows, ...sqliteWrites],
      goals,
    };
  } finally {
    await Promise.all(contenders.map((contender) => contender.stop()));
  }
}

function goalOf(what: string, rows: readonly GrowthRow[]): Goal {
  const last = rows.at(-1);
  return limited(what, pairedRatio(last?.p50Milliseconds ?? [], last?.peerP50Milliseconds ?? []), { atMost: 1.3 });
}

export function growthTable({ rows }: Growth): string {
  const lines = rows.map(({ what, peer, p50Milliseconds, peerP50Milliseconds }) => [
    what,
    median(p50Milliseconds).toFixed(2),
    peer === null ? '' : ratioText(pairedRatio(p50Milliseconds, peerP50Milliseconds)),
    peer === null ? '' : `/ ${peer}`,
  ]);
  return table(['growth (1 at once)', 'p50 ms', 'ratio', ''], lines);
}

/** The cursor after this many secrets, read page by page as a client would. */
async function cursorAt(contender: Contender, load: LoadProcess, position: number): Promise<string> {
  const token = await load.tokenOf(reader(0));
  const query = `query ($after: String) { secrets(first: 1000, after: $after) { nodes { name } pageInfo { endCursor } } }`;
  let after: string | null = null;
  let name = '';
  for (let read = 0; read < position; read += 1000) {
    progress(`to depth ${position}`, read, position);
    const response: Response = await fetch(`http://127.0.0.1:${contender.port}/graphql`, {
      method: 'POST',
      body: JSON.stringify({ query, variables: { after } }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    });
    const { data } = (await response.json()) as {
      data: { secrets: { nodes: { name: string }[]; pageInfo: { endCursor: string } } };
    };
    after = data.secrets.pageInfo.endCursor;
    name = data.secrets.nodes.at(-1)?.name ?? '';
  }
  const expected = recordOf(everybody, position - 1).name;
  if (after === null || name !== expected) throw new Error(`depth ${position} is at ${name}, not at ${expected}`);
  return after;
}
