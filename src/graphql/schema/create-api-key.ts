import type { IssuedApiKey } from '../../api-keys/create-api-key.ts';
import { ApiKey } from './api-key.ts';
import { builder, scoped } from './builder.ts';
import { idempotencyKeyDescription } from './idempotency-key.ts';
import { inArgument } from './in-argument.ts';

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new API key.',
  fields: (t) => ({
    teamId: t.id({ required: true, description: 'The team that it will act for. You must be one of its admins.' }),
    connectorId: t.id({
      description: 'The one connector of the team that it will act for; without it, the whole team.',
    }),
    name: t.string({ required: true, description: 'What it is for: 1 to 255 characters in any language.' }),
    scopes: t.stringList({
      required: true,
      description: 'What it allows: scopes that you have yourself, except `keys:manage`.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'From when on it is not accepted. Without it, it does not expire.',
    }),
    idempotencyKey: t.string({ description: `${idempotencyKeyDescription} The key itself is null then.` }),
  }),
});

const CreateApiKeyPayload = builder.objectRef<IssuedApiKey>('CreateApiKeyPayload').implement({
  description: 'What `createApiKey` did.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKey, description: 'What is kept of the new key.' }),
    key: t.exposeString('key', {
      nullable: true,
      description: 'The key itself, shown this once and kept nowhere. Give it to the machine, and to nobody else.',
    }),
  }),
});

builder.mutationField('createApiKey', (t) =>
  t.field({
    type: CreateApiKeyPayload,
    description: 'Makes an API key for a team, or for one connector of it. Only for admins of the team.',
    directives: scoped('keys:manage'),
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The new key.' }) },
    resolve: (_root, { input }, { operations }) => inArgument('input', operations.createApiKey(input)),
  }),
);
