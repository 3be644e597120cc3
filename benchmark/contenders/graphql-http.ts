import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHandler } from 'graphql-http/lib/use/http';
import { schema } from '../../src/graphql/schema/schema.ts';
import { openNaiveStore } from './naive-store.ts';
import { contextOf, listening, operationsOn, setting } from './setting.ts';

const operations = await operationsOn(await openNaiveStore(setting('DATABASE_URL')));
const handler = createHandler({
  schema,
  context: ({ raw }) => contextOf(operations, raw),
});
const server = createServer(handler);
server.listen(0, '127.0.0.1', () => listening((server.address() as AddressInfo).port));
