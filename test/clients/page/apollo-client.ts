import { ApolloClient, type ApolloError, from, gql, HttpLink, InMemoryCache, isApolloError } from '@apollo/client/core';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { type PageClient, resultOf, sha256 } from './client.ts';

interface ServerError {
  readonly result?: { readonly errors?: ApolloError['graphQLErrors'] };
}

/** As an application sets it up; with its name, which becomes two headers of its own. */
export function apolloClient(uri: string, useGETForHashedQueries = false): PageClient {
  return {
    async run({ document, variables = {}, token, persisted = false }) {
      const http = new HttpLink({ uri, headers: { authorization: `Bearer ${token}` } });
      const client = new ApolloClient({
        link: persisted ? from([createPersistedQueryLink({ sha256, useGETForHashedQueries }), http]) : http,
        cache: new InMemoryCache(),
        name: 'page',
        version: '1.0.0',
        defaultOptions: { query: { errorPolicy: 'all' }, mutate: { errorPolicy: 'all' } },
      });
      const parsed = gql(document);
      try {
        const { data, errors } = document.startsWith('mutation')
          ? await client.mutate({ mutation: parsed, variables })
          : await client.query({ query: parsed, variables });
        return resultOf(data, errors);
      } catch (error) {
        if (!(error instanceof Error && isApolloError(error))) throw error;
        const { result } = (error.networkError ?? {}) as ServerError;
        if (error.networkError && !result) throw error.networkError;
        return resultOf(null, [...error.graphQLErrors, ...(result?.errors ?? [])]);
      }
    },
  };
}
