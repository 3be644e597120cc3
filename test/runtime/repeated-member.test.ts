import fc from 'fast-check';
import { expect, it } from 'vitest';
import { repeatedMember } from '../../src/runtime/repeated-member.ts';

it.each([
  ['{"a":1,"a":2}', ['a']],
  ['{"a":1,"\\u0061":2}', ['a']],
  ['{"a" \n : {}, "b":[], "a"\t: []}', ['a']],
  ['{"list":[{},{"x":{"y":1,"y":1}}]}', ['list', 1, 'x', 'y']],
  ['[[1,2],{"__proto__":1,"__proto__":2}]', [1, '__proto__']],
  ['{"a":{"b":1},"c":"{\\"b\\":1,\\"b\\":1}","b":1,"":2,"":3}', ['']],
])('finds the repeated member of %s', (json, path) => {
  expect(repeatedMember(json)).toEqual(path);
});

it('finds none in what JSON.stringify writes, however deep, and one in any object that gets a member twice', () => {
  const names = fc.oneof(fc.constantFrom('a', 'b', '__proto__', '"', '\\', ':', '{', '}', ','), fc.string());
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.string(), fc.integer(), fc.constant(null), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    object: fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  })).value;
  fc.assert(
    fc.property(value, names, value, fc.constantFrom(0, 2), (one, name, other, space) => {
      expect(repeatedMember(JSON.stringify(one, null, space))).toBeNull();
      const [member, text] = [JSON.stringify(name), JSON.stringify(other, null, space)];
      expect(
        repeatedMember(`[${text},{${member}:${text},"${name === 'x' ? 'y' : 'x'}":1,${member} :${text}}]`),
      ).toEqual([1, name]);
    }),
  );
});
