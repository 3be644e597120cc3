import { expect } from 'vitest';
import type { GraphQLAnswer } from './gateway.ts';

/** Writes this many items, one after another. */
export function times(count: number, write: (index: number) => string): string {
  return Array.from({ length: count }, (_, i) => write(i)).join(' ');
}

export async function expectAllowed(answer: Promise<GraphQLAnswer>): Promise<void> {
  const { status, errors, data } = await answer;
  expect(errors).toEqual([]);
  expect(status).toBe(200);
  expect(data).toBeTypeOf('object');
}

/** Expects a refusal with its own type, and a description with the limit. */
export async function expectRefused(answer: Promise<GraphQLAnswer>, type: string, description: RegExp): Promise<void> {
  const { status, errors, text } = await answer;
  expect(status).toBe(400);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_REQUEST', status: 400, type });
  expect(errors[0]?.message).toMatch(/\w/);
  expect(errors[0]?.extensions.description).toMatch(description);
  expect(text).not.toContain('"data"');
}
