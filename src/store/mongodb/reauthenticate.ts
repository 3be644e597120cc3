import { type MongoClient, MongoNetworkError } from 'mongodb';

/**
 * Makes the driver open new connections where the present ones are not authenticated any more. A user that was dropped and
 * made again is another user to the server: it refuses every command on the connections of the first one, and the driver keeps them.
 */
export async function reauthenticate(client: MongoClient): Promise<void> {
  const { authInfo } = await client.db('admin').command({ connectionStatus: 1 });
  if (authInfo.authenticatedUsers.length > 0) return;
  // A command that ends with a network error is what the driver knows as the sign to give all connections up.
  const abort = new AbortController();
  const lost = new MongoNetworkError('the connections are not authenticated any more');
  const ping = client.db('admin').command({ ping: 1 }, { signal: abort.signal });
  setImmediate(() => abort.abort(lost));
  await ping;
}
