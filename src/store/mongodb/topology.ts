import type { MongoClient, TopologyDescription } from 'mongodb';

type WhyNoPrimary = 'unreachable' | 'no-primary';

/** Why commands wait for a server, as far as the driver knows; undefined when there is one that takes writes. */
export function whyNoPrimary({ servers }: Pick<TopologyDescription, 'servers'>): WhyNoPrimary | undefined {
  const all = [...servers.values()];
  if (all.some(({ isWritable }) => isWritable)) return undefined;
  return all.every(({ type }) => type === 'Unknown') ? 'unreachable' : 'no-primary';
}

/** Follows what the driver knows of the servers. It looks again all the time, without any command. */
export function watchTopology(client: MongoClient): () => WhyNoPrimary | undefined {
  let known: TopologyDescription | undefined;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    known = newDescription;
  });
  return () => known && whyNoPrimary(known);
}
