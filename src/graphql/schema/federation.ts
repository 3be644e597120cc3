import { DomainError } from '../../errors.ts';
import type { Owner } from '../../model/owner.ts';
import type { Secret } from '../../model/secret.ts';
import type { Operations } from '../../operations.ts';
import { maxNameCharacters, maxUnitsOf, normalize } from '../../rules/text.ts';
import { createPacing } from '../../runtime/pacing.ts';
import { builder } from './builder.ts';
import { ownerTypeNames } from './owner.ts';
import { ConnectorRef, SecretRef, TeamRef, UserRef } from './refs.ts';

// The subgraph's part of Apollo Federation 2 (subgraph specification: _service, _entities, _Any, _Entity).

type Entity = Secret | Owner;

builder.scalarType('_Any', {
  description: 'A representation of an entity: its `__typename` and the fields of its key.',
  serialize: () => {
    throw new Error('_Any is for input only');
  },
  parseValue: (representation) => representation,
});

const AnyEntity = builder.unionType('_Entity', {
  description: 'What other subgraphs may refer to.',
  types: [SecretRef, UserRef, TeamRef, ConnectorRef],
  resolveType: (entity: Entity) => ('type' in entity ? ownerTypeNames[entity.type] : 'Secret'),
});

const Service = builder.objectRef<object>('_Service').implement({
  description: 'This subgraph, for a composer.',
  fields: (t) => ({
    sdl: t.string({
      description: 'The subgraph’s schema.',
      resolve: async (_service, _args, { securityDirectives }, { schema }) =>
        (await import('./sdl.ts')).subgraphSdl(schema, securityDirectives),
    }),
  }),
});

builder.queryField('_service', (t) =>
  t.field({ type: Service, description: 'This subgraph, for a composer.', resolve: () => ({}) }),
);

const maxRepresentations = 1000;
/** Not by `toLocaleString`: the formats that it loads take 6 MB, at every start. */
const maxRepresentationsText = '1,000';

/** Representations that are resolved in one tick of the event loop, where a long id that must be normalised counts as several. */
const pace = createPacing(200);
const charactersPerRepresentation = 250;

builder.queryField('_entities', (t) =>
  t.field({
    type: [AnyEntity],
    nullable: { list: false, items: true },
    description: `Entities by their keys, at most ${maxRepresentationsText}; null for one that is not there, or not yours to see.`,
    directives: { authenticated: {} },
    args: {
      representations: t.arg({ type: ['_Any'], required: true, description: 'Which entities.' }),
    },
    resolve: (_root, { representations }, { operations }) => {
      operations.viewer();
      if (representations.length > maxRepresentations) throw tooMany();
      // Each is resolved on its own: an error of one does not affect the others.
      return representations.map((representation) => resolveEntity(representation, operations));
    },
  }),
);

async function resolveEntity(representation: unknown, operations: Operations): Promise<Entity | null> {
  const { __typename, ...keys } = Object(representation) as Record<string, unknown>;
  const [id, teamId] = [keyOf(keys.id), keyOf(keys.teamId)];
  // Secrets are found in one command of the store, all of one tick together.
  if (__typename !== 'Secret' || !isKey(id)) await pace(1);
  if (!isKey(id)) throw notARepresentation();
  switch (__typename) {
    case 'Secret':
      return operations.findSecret(id);
    case 'User':
      return { type: 'user', userId: id };
    case 'Team':
      return { type: 'team', teamId: id };
    case 'Connector':
      if (!isKey(teamId)) throw notARepresentation();
      if (!isAscii(id)) await pace(id.length / charactersPerRepresentation);
      return { type: 'connector', teamId, connectorId: connectorIdOf(id) };
    default:
      throw notARepresentation();
  }
}

/** Whole numbers are ids, too, as everywhere else for the type ID. */
function keyOf(key: unknown): unknown {
  return typeof key === 'number' && Number.isInteger(key) ? String(key) : key;
}

/** A lone surrogate has no UTF-8, so that no store can hold it, and no key is that long. */
function isKey(key: unknown): key is string {
  return typeof key === 'string' && key.length <= maxUnitsOf(maxNameCharacters) && key.isWellFormed();
}

/** Text that is the same in any normal form. */
function isAscii(text: string): boolean {
  return text.length === Buffer.byteLength(text);
}

/** Normalised as by OwnerInput: other subgraphs may send the same id in another form. */
function connectorIdOf(id: string): string {
  const connectorId = normalize(id, maxNameCharacters);
  if (connectorId === null) throw notARepresentation();
  return connectorId;
}

function notARepresentation(): DomainError {
  return new DomainError('BAD_REQUEST', {
    description:
      'A representation has a __typename of Secret, User, Team or Connector, and every field of its key as text or a whole number.',
  });
}

function tooMany(): DomainError {
  return new DomainError('BAD_REQUEST', {
    type: 'representations_limit_error',
    description: `Ask for at most ${maxRepresentations} representations at once.`,
  });
}
