import type { Provider as ProviderModel } from '../../model/provider.ts';
import { builder } from './builder.ts';
import { Destination } from './destination.ts';

const Provider = builder.objectRef<ProviderModel>('Provider').implement({
  description: 'A service that takes keys, and where the gateway may send them.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'What a secret has as its `provider`, in any case of letters, such as `openai`.',
    }),
    title: t.exposeString('title', { description: 'Its name for people, such as `OpenAI`.' }),
    destination: t.field({
      type: Destination,
      description:
        'What a new value of a secret with this provider gets as its destination, where its input names none. Values that are stored keep theirs.',
      resolve: ({ destination }) => destination,
    }),
    checkable: t.boolean({
      description:
        'Whether `checkSecret` and `verify` can ask it about a key. They answer `UNSUPPORTED` for all others, and where the destination of a secret is not this one.',
      resolve: ({ check }) => check !== null,
    }),
  }),
});

builder.queryField('providers', (t) =>
  t.field({
    type: [Provider],
    description:
      'The providers that the gateway knows, in the order of their ids. A secret may also have another provider: then it has a destination where its input names one.',
    directives: { authenticated: {} },
    resolve: (_root, _args, { operations }) => operations.listProviders(),
  }),
);
