import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { type PageClient, resultOf } from './client.ts';

export function urql(url: string, preferGetForPersistedQueries = false): PageClient {
  return {
    async run({ document, variables = {}, token, persisted = false }) {
      const client = new Client({
        url,
        preferGetMethod: false,
        exchanges: [
          ...(persisted ? [persistedExchange({ preferGetForPersistedQueries, enableForMutation: true })] : []),
          fetchExchange,
        ],
        fetchOptions: { headers: { authorization: `Bearer ${token}`, 'x-requested-with': 'urql' } },
      });
      const { data, error } = document.startsWith('mutation')
        ? await client.mutation(document, variables).toPromise()
        : await client.query(document, variables).toPromise();
      if (error?.networkError && error.graphQLErrors.length === 0) throw error.networkError;
      return resultOf(data, error?.graphQLErrors);
    },
  };
}
