import type { Actor as ActorModel } from '../../model/principal.ts';
import { builder } from './builder.ts';

export const ActorKind = builder.enumType('ActorKind', {
  description:
    'Which kind of credential somebody uses. A user and an API key are never the same, even if their ids are.',
  values: {
    USER: { value: 'user', description: 'Somebody who signs in: a token.' },
    API_KEY: { value: 'apiKey', description: 'A machine: an API key.' },
    SYSTEM: { value: 'system', description: 'The gateway itself, or its operator. Nobody calls as it.' },
  } as const,
});

export const Actor = builder.objectRef<ActorModel>('Actor').implement({
  description: 'Who did something.',
  fields: (t) => ({
    kind: t.expose('kind', { type: ActorKind, description: 'A user, an API key, or the system.' }),
    id: t.exposeID('id', {
      description: 'The subject of the user’s tokens, the id of the API key, or what of the system did it.',
    }),
  }),
});
