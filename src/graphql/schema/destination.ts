import type { Destination as DestinationModel } from '../../model/destination.ts';
import { builder } from './builder.ts';

const pathsAre = 'A prefix stands for whole segments: `/v1` allows `/v1` and `/v1/models`, and not `/v10`.';

export const Destination = builder.objectRef<Omit<DestinationModel, 'byHand'>>('Destination').implement({
  description:
    'The one place to which the gateway may send a value, and where in the request the value is put. It changes only together with the value.',
  fields: (t) => ({
    origin: t.exposeString('origin', {
      description: 'Scheme, host and perhaps port, such as `https://api.openai.com`.',
    }),
    header: t.exposeString('header', { description: 'The header that has the value, such as `Authorization`.' }),
    format: t.exposeString('format', {
      description: 'What the header has, with `{value}` in the place of the value, such as `Bearer {value}`.',
    }),
    paths: t.exposeStringList('paths', {
      nullable: true,
      description: `Prefixes of the paths that may be requested; null allows every path. ${pathsAre}`,
    }),
  }),
});

export const DestinationInput = builder.inputType('DestinationInput', {
  description: 'Where the gateway may send a value, and where in the request the value is put.',
  fields: (t) => ({
    origin: t.string({
      required: true,
      description:
        'Scheme, host and perhaps port, such as `https://api.example.com`: without a path, a user or a slash at the end. Only `https`; in development also `http` to loopback.',
    }),
    header: t.string({
      required: true,
      defaultValue: 'Authorization',
      description:
        'The header that gets the value. Headers with another meaning, such as `Host` or `Cookie`, are refused.',
    }),
    format: t.string({
      required: true,
      defaultValue: 'Bearer {value}',
      description: 'What the header gets: at most 200 characters of ASCII, with exactly one `{value}`.',
    }),
    paths: t.stringList({
      description: `Prefixes of the paths that may be requested, at most 20; without them every path. ${pathsAre}`,
    }),
  }),
});

/** For the description of the field in an input. */
export const newDestinationDescription =
  'Where the gateway may send the new value. Give it only together with a value. Left out: the destination of its provider, if the gateway knows one. Null: nowhere.';
