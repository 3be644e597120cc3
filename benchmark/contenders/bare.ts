import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Caller } from '../../src/model/caller.ts';
import { type Owner, ownerKey } from '../../src/model/owner.ts';
import type { Secret } from '../../src/model/secret.ts';
import { openStore } from '../../src/store/open-store.ts';
import { withTestMac } from '../../test/support/keyring.ts';
import type { Variables } from '../work.ts';
import { openCollections, openNaiveStore } from './naive-store.ts';
import { callerOf, listening, operationsOn, setting } from './setting.ts';

// node:http and the driver, without GraphQL: the operation's name alone selects the answer.
// `naive` reads with a find and a count for each list; `batched` with the gateway's store, which batches.

type Shown = Pick<
  Secret,
  'id' | 'name' | 'placeholder' | 'maskedValue' | 'tags' | 'version' | 'createdAt' | 'updatedAt'
>;

interface Reads {
  list(owner: Owner): Promise<{ totalCount: number; nodes: Shown[] }>;
  find(caller: Caller, ids: string[]): Promise<(Shown | null)[]>;
}

const pageSize = 20;
const batched = process.argv[2] === 'batched';
const databaseUrl = setting('DATABASE_URL');
const store = await (batched ? openStore(databaseUrl, withTestMac) : openNaiveStore(databaseUrl));
const operations = await operationsOn(store);
const reads = batched ? batchedReads() : naiveReads();

function batchedReads(): Reads {
  return {
    async list(owner) {
      const query = { owner, filter: {}, from: 'start', limit: pageSize, count: true } as const;
      const { secrets, totalCount } = await store.list(query);
      return { totalCount: totalCount ?? 0, nodes: secrets.map(shown) };
    },
    async find(caller, ids) {
      const found = await Promise.all(ids.map((id) => operations(caller).findSecret(id)));
      return found.map((secret) => secret && shown(secret));
    },
  };
}

function naiveReads(): Reads {
  const { secrets } = openCollections(databaseUrl);
  const projection = { name: 1, placeholder: 1, maskedValue: 1, tags: 1, version: 1, createdAt: 1, updatedAt: 1 };
  type Document = Omit<Shown, 'id'> & { _id: string };
  const show = ({ _id, ...rest }: Document) => shown({ id: _id, ...rest });
  return {
    async list(owner) {
      const match = { owner: ownerKey(owner) };
      const page = secrets.find<Document>(match, { projection }).sort({ name: 1 }).limit(pageSize).toArray();
      const [documents, totalCount] = await Promise.all([page, secrets.countDocuments(match)]);
      return { totalCount, nodes: documents.map(show) };
    },
    async find(caller, ids) {
      const owner = ownerKey({ type: 'user', userId: caller.principal?.subject ?? '' });
      const documents = await secrets.find<Document>({ _id: { $in: ids }, owner }, { projection }).toArray();
      const byId = new Map(documents.map((document) => [document._id, show(document)]));
      return ids.map((id) => byId.get(id) ?? null);
    },
  };
}

/** In the order in which the operations select. */
function shown({ id, name, placeholder, maskedValue, tags, version, createdAt, updatedAt }: Shown): Shown {
  return { id, name, placeholder, maskedValue, tags, version, createdAt, updatedAt };
}

async function answer(caller: Caller, operationName: string, variables: Variables): Promise<unknown> {
  const { subject = '' } = caller.principal ?? {};
  switch (operationName) {
    case 'List':
      return { secrets: await reads.list({ type: 'user', userId: subject }) };
    case 'One': {
      const [secret = null] = await reads.find(caller, [String(variables.id)]);
      return { secret };
    }
    case 'Entities':
      return {
        _entities: await reads.find(
          caller,
          (variables.of as { id: string }[]).map(({ id }) => id),
        ),
      };
    case 'TenLists': {
      const owners = Object.values(variables) as { teamId: string }[];
      const lists = await Promise.all(owners.map(({ teamId }) => reads.list({ type: 'team', teamId })));
      return Object.fromEntries(lists.map((list, index) => [`l${index}`, list]));
    }
    case 'HundredFields': {
      const found = await reads.find(caller, Object.values(variables).map(String));
      return Object.fromEntries(found.map((secret, index) => [`s${index}`, secret]));
    }
    case 'Resolve': {
      const { deliveries, missing } = await operations(caller).resolveSecrets(variables.input as never);
      const told = deliveries.map(({ secret: { id, name }, jwe }) => ({ secret: { id, name }, jwe }));
      return { resolveSecrets: { deliveries: told, missing } };
    }
    case 'Create':
      return { createSecret: { secret: shown(await operations(caller).createSecret(variables.input as never)) } };
    case 'Update':
      return { updateSecret: { secret: shown(await operations(caller).updateSecret(variables.input as never)) } };
    default:
      throw new Error(`no operation ${operationName}`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<{ operationName: string; variables: Variables }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString());
}

const server = createServer(async (request, response) => {
  const send = (status: number, body: unknown) => {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
  };
  try {
    const caller = await callerOf(request);
    const { operationName, variables } = await bodyOf(request);
    if (!caller.principal) return send(401, { errors: [{ message: 'Unauthorized' }] });
    send(200, { data: await answer(caller, operationName, variables) });
  } catch (error) {
    send(500, { errors: [{ message: String(error) }] });
  }
});
server.listen(0, '127.0.0.1', () => listening((server.address() as AddressInfo).port));
