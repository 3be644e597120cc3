import type { Batch, BatchItem as BatchItemModel } from '../../model/batch.ts';
import { builder } from './builder.ts';
import { SecretRef } from './refs.ts';
import { partForWriters } from './run-mutation.ts';
import { InputWarning, warningsDescription } from './warning.ts';

export const OnConflict = builder.enumType('OnConflict', {
  description: 'What to do with an item whose name a secret of the owner has already.',
  values: {
    FAIL: { value: 'fail', description: 'Write nothing at all, and tell of every such item.' },
    SKIP: { value: 'skip', description: 'Leave that secret as it is.' },
    UPDATE: { value: 'update', description: 'Change that secret, as an update does.' },
  } as const,
});

const BatchAction = builder.enumType('BatchAction', {
  description: 'What became of an item; in a dry run, what would become of it.',
  values: {
    CREATED: { value: 'created', description: 'It is a new secret.' },
    UPDATED: { value: 'updated', description: 'The secret of this name was changed.' },
    UNCHANGED: {
      value: 'unchanged',
      description:
        'The secret of this name is the same already. Told of a value only with the scope `secrets:match`; otherwise UPDATED.',
    },
    SKIPPED: { value: 'skipped', description: 'The secret of this name was left as it is.' },
  } as const,
});

const BatchItem = builder.objectRef<BatchItemModel>('BatchItem').implement({
  description: 'What became of one item.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Its position in the input, from 0.' }),
    action: t.expose('action', { type: BatchAction, description: 'What was done.' }),
    secret: t.field({
      type: SecretRef,
      nullable: true,
      description: `The secret as it is now; null where a dry run would create it. ${partForWriters}`,
      resolve: ({ secret }) => secret,
    }),
    warnings: t.expose('warnings', { type: [InputWarning], description: warningsDescription }),
  }),
});

/** The payload of a mutation that writes many secrets. */
export function batchPayload(mutation: string) {
  const name = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Payload`;
  return builder.objectRef<Batch>(name).implement({
    description: `What \`${mutation}\` did.`,
    fields: (t) => ({
      items: t.field({
        type: [BatchItem],
        description: 'What became of each item, in the order of the input.',
        resolve: ({ items }) => items,
      }),
      totalCount: t.int({
        // An error of the count must not hide what was written.
        nullable: true,
        description:
          'How many secrets the owner of the items has, counted after the write; null where they could not be counted.',
        resolve: ({ owner }, _args, { operations }) => operations.countSecrets(owner),
      }),
    }),
  });
}
