import { composeServices as composeWithApollo } from '@apollo/composition';
import { composeServices as composeWithGuild } from '@theguild/federation-composition';
import { parse } from 'graphql';

export interface Subgraph {
  name: string;
  url: string;
  sdl: string;
}

export const composers = {
  '@apollo/composition': (subgraphs: readonly Subgraph[]) => result(composeWithApollo(services(subgraphs))),
  '@theguild/federation-composition': (subgraphs: readonly Subgraph[]) => result(composeWithGuild(services(subgraphs))),
};

/** Reads the schema of a running subgraph, as a composer does first. */
export async function fetchSubgraph(name: string, url: string): Promise<Subgraph> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  const { data } = (await response.json()) as { data: { _service: { sdl: string } } };
  return { name, url, sdl: data._service.sdl };
}

function services(subgraphs: readonly Subgraph[]) {
  return subgraphs.map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) }));
}

function result({
  supergraphSdl,
  errors,
}: {
  supergraphSdl?: string | undefined;
  errors?: readonly Error[] | undefined;
}): string {
  if (supergraphSdl === undefined) throw new AggregateError(errors ?? [], errors?.map(String).join('\n'));
  return supergraphSdl;
}

// npm run --silent compose -- secrets=http://127.0.0.1:4000/graphql users=… > supergraph.graphql
if (import.meta.main) {
  const named = process.argv.slice(2);
  const subgraphs: Subgraph[] = [];
  for (const argument of named) {
    const [, name = '', url = ''] = /^([^=]+)=(.+)$/.exec(argument) ?? [];
    const subgraph = await fetchSubgraph(name, url).catch(() => null);
    if (subgraph) subgraphs.push(subgraph);
    else console.error(`No subgraph answers for ${argument}. Start it, and name it as NAME=URL.`);
  }
  if (named.length === 0) console.error('Name the subgraphs as NAME=URL.');
  if (named.length === 0 || subgraphs.length < named.length) process.exit(1);
  console.log(composers['@theguild/federation-composition'](subgraphs));
}
