import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';

// Plays the router of a sharded cluster: it tells from a command alone which documents it can be about, as mongos does.

/** The shard key of each collection, as docs/storage-schema.md tells operators to set it. The others are on one shard whole. */
export const shardKeys: ReadonlyMap<string, string> = new Map(
  [
    ...readFileSync(join(import.meta.dirname, '../../docs/storage-schema.md'), 'utf8').matchAll(
      /sh\.shardCollection\("[^".]+\.(\w+)", \{ (\w+): (?:1|"hashed") \}/g,
    ),
  ].map(([, collection = '', key = '']) => [collection, key]),
);

/** What may ask every shard, and why. Each is for an operator, or is rare. */
const acrossOwners: readonly {
  readonly command: string;
  readonly collection: string;
  readonly fields: readonly string[];
  readonly reason: string;
}[] = [
  { command: 'find', collection: 'owners', fields: [], reason: 'isEmpty: once at a start, and by keys commands' },
  ...(['secrets', 'secretVersions', 'deletedSecrets'] as const).map((collection) => ({
    command: 'find',
    collection,
    fields: ['_id', 'sealed'],
    reason: 'keys rewrap walks all owners',
  })),
  {
    command: 'find',
    collection: 'secrets',
    fields: ['_id', 'sealed', 'sealed.digest.kid'],
    reason: 'keys recompute walks all owners',
  },
  { command: 'find', collection: 'audit', fields: ['owner'], reason: 'audit export walks the chains of all owners' },
  { command: 'find', collection: 'owners', fields: ['_id'], reason: 'audit verify walks the heads of all owners' },
  { command: 'aggregate', collection: 'owners', fields: [], reason: 'audit verify and audit export count all events' },
  {
    command: 'find',
    collection: 'deletedSecrets',
    fields: ['_id'],
    reason: 'the purge in the background, once an hour',
  },
  {
    command: 'delete',
    collection: 'keptResults',
    fields: ['secretId'],
    reason: 'a purge: rare, whoever called before',
  },
  ...(['secrets', 'secretVersions', 'deletedSecrets', 'apiKeys', 'audit'] as const).flatMap((collection) =>
    [[], ['_id'], ['_id', 'sealed']].map((fields) => ({
      command: 'aggregate',
      collection,
      fields,
      reason: 'keys list and keys retire count all owners',
    })),
  ),
  ...[['id', 'owner'], ['owner'], ['$or', 'name', 'owner']].flatMap((fields) =>
    ['find', 'aggregate'].map((command) => ({
      command,
      collection: 'apiKeys',
      fields,
      reason: 'an admin manages API keys: rare, and they are few (docs/adr/0027-api-keys.md)',
    })),
  ),
];

/** Not about documents, or for all shards by their nature: indexes, sessions, and a transaction's own participants. */
const withoutDocuments = new Set([
  ...[
    'hello',
    'ping',
    'endSessions',
    'killSessions',
    'commitTransaction',
    'abortTransaction',
    'getMore',
    'killCursors',
  ],
  ...['create', 'createIndexes', 'collMod', 'listCollections', 'listIndexes', 'buildInfo', 'connectionStatus'],
]);

/** The parts of a command that mongos cannot send to the shards of some values of the shard key: what each is about. */
export function scattered(commandName: string, command: Document): string[] {
  if (withoutDocuments.has(commandName)) return [];
  const collection = String(command[commandName]);
  const key = shardKeys.get(collection);
  switch (commandName) {
    case 'insert':
      return key === undefined || command.documents.every((document: Document) => document[key] !== undefined)
        ? []
        : [`insert ${collection} without its ${key}`];
    case 'find':
      return unlessTargeted(commandName, collection, command.filter);
    case 'findAndModify':
      return unlessTargeted(commandName, collection, command.query);
    case 'update':
      return command.updates.flatMap(({ q }: Document) => unlessTargeted(commandName, collection, q));
    case 'delete':
      return command.deletes.flatMap(({ q }: Document) => unlessTargeted(commandName, collection, q));
    case 'aggregate':
      // Each gateway follows all shards by one change stream, and nothing asks a shard because of it but a getMore a second.
      if (command.pipeline[0]?.$changeStream) return [];
      return scatteredStages(collection, command.pipeline);
    default:
      return [`${commandName}, which this test does not know`];
  }
}

function scatteredStages(collection: string, [first = {}, ...others]: readonly Document[]): string[] {
  const unions = others.flatMap(({ $unionWith }) => ($unionWith ? [$unionWith] : []));
  return [
    ...unlessTargeted('aggregate', collection, first.$match),
    ...unions.flatMap(({ coll, pipeline }) => scatteredStages(coll, pipeline)),
  ];
}

function unlessTargeted(command: string, collection: string, filter: Document = {}): string[] {
  const key = shardKeys.get(collection);
  if (key === undefined || valuesOf(filter, key) !== null) return [];
  const fields = Object.keys(filter).sort();
  const isKnown = acrossOwners.some(
    (one) => one.command === command && one.collection === collection && String(one.fields) === String(fields),
  );
  return isKnown ? [] : [`${command} ${collection} by ${fields.join(', ') || 'nothing'}`];
}

/** The values of a field that a filter allows; null where there is no bound. */
export function valuesOf(filter: Document, field: string): readonly unknown[] | null {
  const { [field]: wanted, $or, $and } = filter;
  if (wanted !== undefined) {
    const isOperator =
      typeof wanted === 'object' && wanted !== null && Object.keys(wanted).some((one) => one[0] === '$');
    if (!isOperator) return [wanted];
    if (wanted.$in) return wanted.$in;
    if ('$eq' in wanted) return [wanted.$eq];
  }
  for (const branch of $and ?? []) {
    const values = valuesOf(branch, field);
    if (values) return values;
  }
  if (!$or) return null;
  const branches = $or.map((branch: Document) => valuesOf(branch, field));
  return branches.includes(null) ? null : branches.flat();
}

const seen = { commands: 0, scattered: new Set<string>() };

/** Looks at every command that gateways of this process send from now on. */
export function watchShards(): void {
  const { connect } = MongoClient.prototype;
  if (connect.name === 'watchedConnect') return;
  MongoClient.prototype.connect = function watchedConnect() {
    // Those of the tests themselves have no name.
    if (this.options.appName === 'secrets-gateway' && !this.listeners('commandStarted').includes(lookAt)) {
      Object.assign(this.options, { monitorCommands: true });
      this.on('commandStarted', lookAt);
    }
    return connect.call(this);
  };
}

function lookAt({ commandName, command }: CommandStartedEvent): void {
  seen.commands += 1;
  for (const one of scattered(commandName, command)) seen.scattered.add(one);
}

/**
 * @returns how many commands were looked at
 * @throws Error when one of them would have gone to every shard
 */
export function requireShards(): number {
  if (seen.scattered.size > 0) {
    throw new Error(`On a sharded cluster these would go to every shard: ${[...seen.scattered].join('; ')}`);
  }
  return seen.commands;
}
