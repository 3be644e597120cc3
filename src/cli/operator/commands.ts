import type { CommandLoaders } from '../command.ts';

/** What runs a gateway, or works on its files. */
export const operator: CommandLoaders = {
  serve: async () => (await import('./serve.ts')).serve,
  token: async () => (await import('./token.ts')).token,
  schema: async () => (await import('./schema.ts')).schema,
  keys: async () => (await import('./keys.ts')).keys,
  audit: async () => (await import('./audit.ts')).audit,
  purge: async () => (await import('./purge.ts')).purge,
  backup: async () => (await import('./backup.ts')).backup,
  restore: async () => (await import('./restore.ts')).restore,
};
