import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../src/errors.ts';
import { FieldErrors } from '../../src/rules/field-errors.ts';

function thrownBy(errors: FieldErrors): DomainError {
  try {
    errors.throwIfAny();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('field errors', () => {
  it('throw nothing when there are none', () => {
    const errors = new FieldErrors();
    errors.at('name');
    expect(errors.any).toBe(false);
    errors.throwIfAny();
  });

  it('have paths relative to the input', () => {
    const errors = new FieldErrors();
    errors.at('name').add('required', 'Must not be empty.');
    errors.at('secrets').at(3).at('tags').at(0).add('too_long', 'Must be shorter.');
    expect(thrownBy(errors).details.errors).toEqual([
      { field: 'name', loc: ['name'], message: 'Must not be empty.', type: 'required' },
      { field: 'tags', loc: ['secrets', 3, 'tags', 0], message: 'Must be shorter.', type: 'too_long' },
    ]);
  });

  it('name the nearest field: an item of a list has the name of its list', () => {
    const errors = new FieldErrors();
    errors.at('tags').at(7).add('a', 'm');
    errors.add('b', 'm');
    errors.at(7).add('c', 'm');
    expect(thrownBy(errors).details.errors?.map(({ field }) => field)).toEqual(['tags', '', '']);
  });

  it('are collected in one error, however deep the field is', () => {
    const errors = new FieldErrors();
    const deep = errors.at('owner').at('connectorId');
    deep.add('a', 'm');
    errors.at('name').add('b', 'm');
    for (const view of [errors, deep]) {
      expect(view.any).toBe(true);
      expect(thrownBy(view).details.errors?.map(({ type }) => type)).toEqual(['a', 'b']);
    }
  });

  it('are thrown as UNPROCESSABLE_ENTITY, with a description that names each field once', () => {
    const errors = new FieldErrors();
    for (const field of ['name', 'tags', 'name']) errors.at(field).add('type', 'm');
    expect(thrownBy(errors)).toMatchObject({
      code: 'UNPROCESSABLE_ENTITY',
      details: { description: 'Fix these fields and send the request again: name, tags.' },
    });
  });

  it('keep the path of each rule for any nesting, and no rule changes the path of another', () => {
    const path = fc.array(fc.oneof(fc.string(), fc.nat()), { maxLength: 6 });
    fc.assert(
      fc.property(fc.array(path, { minLength: 1 }), (paths) => {
        const errors = new FieldErrors();
        const places = paths.map((steps) => steps.reduce<FieldErrors>((place, step) => place.at(step), errors));
        for (const place of places) place.add('type', 'm');
        const thrown = thrownBy(errors).details.errors ?? [];
        expect(thrown.map(({ loc }) => loc)).toEqual(paths);
        for (const { loc } of thrown) loc.push('changed');
        expect(thrownBy(errors).details.errors).toHaveLength(paths.length);
        places[0]?.add('type', 'm');
        expect(thrownBy(errors).details.errors?.at(-1)?.loc).toEqual(paths[0]);
      }),
    );
  });
});
