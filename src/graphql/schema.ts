import { builder } from './builder.ts';
import './date-time.ts';
import './owner.ts';
import './secret.ts';
import './secret-connection.ts';
import './viewer.ts';

builder.queryType({ description: 'What can be read. Values cannot.' });
builder.mutationType({ description: 'What can be changed.' });

export const schema = builder.toSchema({ sortSchema: false });
