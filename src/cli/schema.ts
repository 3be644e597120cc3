import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../graphql/schema.ts';

/** Prints the schema's SDL. */
export function printSdl(): void {
  process.stdout.write(`${printSchema(lexicographicSortSchema(schema))}\n`);
}
