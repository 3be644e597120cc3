import { expect } from 'vitest';
import type { GraphQLAnswer } from './gateway.ts';

/** Expects that the whole request was refused, with this status and code and with the request's id. */
export function expectRefusal(answer: GraphQLAnswer, status: number, code: string, type: string): void {
  expect(answer.status).toBe(status);
  const requestId = answer.headers.get('x-request-id');
  expect(requestId).toMatch(/./);
  expect(answer.errors).toHaveLength(1);
  expect(answer.errors[0]?.message).toMatch(/./);
  expect(answer.errors[0]?.extensions).toMatchObject({ code, status, type, requestId });
  expect(answer.text).not.toContain('"data"');
}
