import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { schema } from '../../src/graphql/schema/schema.ts';
import { openNaiveStore } from './naive-store.ts';
import { contextOf, listening, operationsOn, setting } from './setting.ts';

const operations = await operationsOn(await openNaiveStore(setting('DATABASE_URL')));
const server = new ApolloServer<Awaited<ReturnType<typeof contextOf>>>({ schema, stopOnTerminationSignals: false });
const { url } = await startStandaloneServer(server, {
  listen: { port: 0, host: '127.0.0.1' },
  context: ({ req }) => contextOf(operations, req),
});
listening(Number(new URL(url).port));
