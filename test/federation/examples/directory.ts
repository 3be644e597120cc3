import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { portFor } from './ports.ts';

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])

  type Query {
    users: [User!]!
    "Users 0 to n - 1, and ada."
    manyUsers(count: Int!): [User!]!
    teams(ids: [ID!]!): [Team!]!
    connectors: [Connector!]!
    bookmark(secretId: ID!): Bookmark!
  }
  type User @key(fields: "id") { id: ID! email: String! }
  type Team @key(fields: "id") { id: ID! title: String! members: [User!]! }
  type Connector @key(fields: "teamId id") { teamId: ID! id: ID! vendor: String! }
  type Bookmark { note: String! secret: Secret }
  type Secret @key(fields: "id", resolvable: false) { id: ID! }
`);

const user = (id: string) => ({ id, email: `${id}@example.com` });
const users = ['ada', 'grace'].map(user);
const team = (id: string) => ({ id, title: `Team ${id}`, members: id === 'red' ? users : [] });

const connector = ({ teamId, id }: { teamId: string; id: string }) => ({ teamId, id, vendor: 'ACME' });

const resolvers = {
  User: { __resolveReference: ({ id }: { id: string }) => user(id) },
  Team: { __resolveReference: ({ id }: { id: string }) => team(id) },
  Connector: { __resolveReference: connector },
  Query: {
    users: () => users,
    manyUsers: (_: unknown, { count }: { count: number }) =>
      [...Array.from({ length: count }, (_unused, index) => `user-${index}`), 'ada'].slice(-count).map(user),
    teams: (_: unknown, { ids }: { ids: string[] }) => ids.map(team),
    connectors: () => [connector({ teamId: 'red', id: 'crm' })],
    bookmark: (_: unknown, { secretId }: { secretId: string }) => ({ note: 'remember', secret: { id: secretId } }),
  },
};

/** A subgraph with users, teams and connectors. It knows only the ids of secrets. */
export async function startDirectory(port = 0) {
  const server = new ApolloServer({
    schema: buildSubgraphSchema([{ typeDefs, resolvers }]),
    plugins: [ApolloServerPluginInlineTraceDisabled()],
  });
  const { url } = await startStandaloneServer(server, { listen: { port, host: '127.0.0.1' } });
  return { url: new URL('/graphql', url).href, close: () => server.stop() };
}

if (import.meta.main) {
  const { url } = await startDirectory(portFor('directory'));
  console.log(`Directory: ${url}`);
}
