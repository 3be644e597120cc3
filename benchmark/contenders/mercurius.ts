import fastify from 'fastify';
import mercurius from 'mercurius';
import { schema } from '../../src/graphql/schema/schema.ts';
import { openNaiveStore } from './naive-store.ts';
import { contextOf, listening, operationsOn, setting } from './setting.ts';

const operations = await operationsOn(await openNaiveStore(setting('DATABASE_URL')));
const server = fastify();
await server.register(mercurius, {
  schema,
  // A document is compiled after this many requests.
  jit: 1,
  context: (request) => contextOf(operations, request),
});
const url = await server.listen({ port: 0, host: '127.0.0.1' });
listening(Number(new URL(url).port));
