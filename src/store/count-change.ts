import type { OwnedWrite } from './store.ts';

/** By how much a write changes its owner's count of secrets. */
export const countChange = {
  insertSecret: 1,
  updateSecret: 0,
  deleteSecret: -1,
  restoreSecret: 1,
  purgeSecret: -1,
  purgeDeletedSecret: 0,
  useSecret: 0,
  insertApiKey: 0,
  changeApiKey: 0,
  appendEvent: 0,
} as const satisfies { readonly [type in OwnedWrite['type']]: number };
