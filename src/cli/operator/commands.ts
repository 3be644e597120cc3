import type { Commands } from '../command.ts';
import { backup } from './backup.ts';
import { keys } from './keys.ts';
import { restore } from './restore.ts';
import { schema } from './schema.ts';
import { serve } from './serve.ts';
import { token } from './token.ts';

export const operator: Commands = { serve, token, schema, keys, backup, restore };
