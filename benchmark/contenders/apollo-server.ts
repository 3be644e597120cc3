import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { schema } from '../../src/graphql/schema/schema.ts';
import type { Operations } from '../../src/operations.ts';
import { openNaiveStore } from './naive-store.ts';
import { callerOf, listening, operationsOn, setting } from './setting.ts';

const operations = await operationsOn(await openNaiveStore(setting('DATABASE_URL')));
const server = new ApolloServer<{ operations: Operations }>({ schema, stopOnTerminationSignals: false });
const { url } = await startStandaloneServer(server, {
  listen: { port: 0, host: '127.0.0.1' },
  context: async ({ req }) => ({ operations: operations(await callerOf(req)) }),
});
listening(Number(new URL(url).port));
