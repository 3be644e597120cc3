import type { Actor as ActorModel } from '../../model/principal.ts';
import { builder } from './builder.ts';

export const ActorKind = builder.enumType('ActorKind', {
  description:
    'Which kind of credential somebody uses. A user and an API key are never the same, even if their ids are.',
  values: {
    USER: { value: 'user', description: 'Somebody who signs in: a token.' },
    API_KEY: { value: 'apiKey', description: 'A machine: an API key.' },
  } as const,
});

export const Actor = builder.objectRef<ActorModel>('Actor').implement({
  description: 'Who did something.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ActorKind, description: 'A user or an API key.' }),
    id: t.exposeID('id', { description: 'The subject of the user’s tokens, or the id of the API key.' }),
  }),
});
