import type { TestProject } from 'vitest/node';
import { firstLine, startReplicaSet } from './mongod.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A replica set for the whole run, named without a database; null when there is no mongod. */
    mongodbUri: string | null;
  }
}

/** vitest globalSetup: one replica set for every test file, or the one that MONGODB_URI names. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const external = process.env.MONGODB_URI;
  if (external) {
    project.provide('mongodbUri', external);
    return undefined;
  }
  try {
    const replicaSet = await startReplicaSet();
    project.provide('mongodbUri', replicaSet.uri);
    return () => replicaSet.stop();
  } catch (error) {
    if (process.env.CI) throw error;
    const lines = [
      'NO MONGOD: every test against MongoDB is SKIPPED in this run.',
      `The last attempt failed with: ${firstLine(error)}`,
      'Set MONGODB_URI to a replica set, or MONGOMS_SYSTEM_BINARY to a mongod.',
    ];
    console.warn(['', '*'.repeat(100), ...lines, '*'.repeat(100), ''].join('\n'));
    project.provide('mongodbUri', null);
    return undefined;
  }
}
