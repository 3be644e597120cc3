import { ClientError, GraphQLClient } from 'graphql-request';
import { type PageClient, resultOf } from './client.ts';

export function graphqlRequest(url: string): PageClient {
  return {
    async run({ document, variables = {}, token }) {
      const client = new GraphQLClient(url, { headers: { authorization: `Bearer ${token}`, 'sentry-trace': '0-0' } });
      try {
        return resultOf(await client.request(document, variables));
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        return resultOf(error.response.data, error.response.errors);
      }
    },
  };
}
