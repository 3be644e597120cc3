import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';

describe('openStore', () => {
  it('opens SQLite in memory for sqlite::memory:', async () => {
    const store = await openStore('sqlite::memory:');
    expect(await store.isEmpty()).toBe(true);
    await store.close();
  });

  it.each([
    '',
    'sqlite:',
    'postgres://u:hunter2@h/d',
    'hunter2',
    '/data/hunter2.db',
    'mongodb://',
    'mongodb://u:hunter2@',
    'mongodb:hunter2',
  ])('refuses %j with an error that names DATABASE_URL and repeats nothing of the value', async (url) => {
    const error: unknown = await openStore(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'ConfigurationError', message: expect.stringContaining('DATABASE_URL') });
    expect(String(error) + String((error as Error).cause)).not.toContain('hunter2');
  });
});
