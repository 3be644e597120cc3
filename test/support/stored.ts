import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import type { TestGateway } from './gateway.ts';

/** All bytes that a gateway has stored, in its files and in its database. @param left the name of a file that is left out */
export async function stored(gateway: TestGateway, left?: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  const entries = await readdir(gateway.directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || entry.name === left) continue;
    parts.push(Buffer.from(entry.name), await bytesOf(join(entry.parentPath, entry.name)));
  }
  if (gateway.databaseUrl.startsWith('mongodb')) {
    const client = await MongoClient.connect(gateway.databaseUrl);
    for (const { collectionName } of await client.db().collections()) {
      parts.push(...(await client.db().collection<Buffer>(collectionName).find({}, { raw: true }).toArray()));
    }
    await client.close();
  }
  return Buffer.concat(parts);
}

/**
 * Read by another process. Where this process closes a file that SQLite has open in it, its locks are lost: a command that
 * uses the database meanwhile would remove the write-ahead log of the gateway.
 */
async function bytesOf(path: string): Promise<Buffer> {
  const { stdout } = await promisify(execFile)('cat', [path], { encoding: 'buffer', maxBuffer: 1024 ** 3 });
  return stdout;
}
