import { apolloClient } from './apollo-client.ts';
import type { PageRequest, PageResult } from './client.ts';
import { graphqlRequest } from './graphql-request.ts';
import { urql } from './urql.ts';

const clients = {
  'Apollo Client': apolloClient,
  'Apollo Client with GET': (url: string) => apolloClient(url, true),
  urql,
  'urql with GET': (url: string) => urql(url, true),
  'graphql-request': graphqlRequest,
};

export type ClientName = keyof typeof clients;

declare global {
  interface Window {
    run(name: ClientName, url: string, request: PageRequest): Promise<PageResult>;
  }
}

window.run = (name, url, request) => clients[name](url).run(request);
