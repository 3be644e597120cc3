import { countingAnswers } from '../limits/answer-size.ts';
import { builder } from './builder.ts';
import './actor.ts';
import './api-key.ts';
import './audit-event.ts';
import './create-api-key.ts';
import './batch.ts';
import './check-secret.ts';
import './create-secret.ts';
import './create-secrets.ts';
import './date-time.ts';
import './delete-secret.ts';
import './deleted-secrets.ts';
import './duplicate-secrets.ts';
import './federation.ts';
import './json.ts';
import './matches-secret.ts';
import './owner.ts';
import './page-info.ts';
import './provider.ts';
import './purge-secret.ts';
import './resolve-secrets.ts';
import './restore-secret.ts';
import './revoke-api-key.ts';
import './rotate-api-key.ts';
import './rollback-secret.ts';
import './sealing-key.ts';
import './secret.ts';
import './secret-change.ts';
import './secret-connection.ts';
import './secret-version.ts';
import './update-secret.ts';
import './viewer.ts';

builder.queryType({ description: 'What can be read. Values of secrets cannot.' });
builder.mutationType({ description: 'What can be changed.' });
builder.subscriptionType({ description: 'What can be followed as it happens, by Server-Sent Events.' });

const link = {
  url: 'https://specs.apollo.dev/federation/v2.6',
  import: ['@key', '@shareable', '@authenticated', '@requiresScopes'],
};

export const schema = countingAnswers(builder.toSchema({ sortSchema: false, extensions: { directives: { link } } }));
