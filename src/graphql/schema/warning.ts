import type { Warning } from '../../model/warning.ts';
import { builder } from './builder.ts';

export const InputWarning = builder.objectRef<Warning>('InputWarning').implement({
  description: 'Something in the input that was kept as it was sent, but looks like a mistake.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'The field of the input.' }),
    type: t.exposeString('type', { description: 'What it looks like, such as `trailing_newline`; stable.' }),
    message: t.exposeString('message', { description: 'The same for people, and what to do. It repeats no value.' }),
  }),
});

export const warningsDescription =
  'What looks like a mistake in the value, such as quotes around it, or a key of another provider. It was kept exactly as it was sent.';
