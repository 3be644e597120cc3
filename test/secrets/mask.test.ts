import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask } from '../../src/secrets/mask.ts';

const value = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });

/** Shown wherever it stands, and changes nothing beside it. */
const printable = /^[\p{L}\p{N}\p{P}\p{S} ]*$/v;
const invisible = /[\p{Default_Ignorable_Code_Point}\u2800]/v;

describe('a mask', () => {
  it('shows the first 6 and the last 3 characters of a long value', () => {
    expect(mask('sk-proj-0123456789abcdefghijklmnopqrstuvwxyz123456789')).toBe('sk-pro••••789');
  });

  it('shows nothing of a value under 16 characters', () => {
    for (const length of [1, 8, 15]) expect(mask('x'.repeat(length))).toBe('••••');
  });

  it('shows a quarter of a value of 16 characters or more, at most 9 characters', () => {
    expect(mask('abcdefghijklmnop')).toBe('abc••••p');
    expect(mask('abcdefghijklmnopqrstuvwx')).toBe('abcd••••wx');
    expect(mask('abcdefghijklmnopqrstuvwxyz012345678')).toBe('abcdef••••78');
    expect(mask('abcdefghijklmnopqrstuvwxyz0123456789')).toBe('abcdef••••789');
  });

  it('shows at most a quarter of the characters, at most 6 and 3 of them, in their order from the two ends', () => {
    fc.assert(
      fc.property(value, (text) => {
        const characters = [...text];
        const [first = '', last = ''] = mask(text).split('••••');
        const shown = [...first].length + [...last].length;
        expect(shown).toBeLessThanOrEqual(characters.length < 16 ? 0 : characters.length / 4);
        expect([...first].length).toBeLessThanOrEqual(6);
        expect([...last].length).toBeLessThanOrEqual(3);
        const rest = characters[Symbol.iterator]();
        for (const character of first + last) expect(rest.some((one) => one === character)).toBe(true);
      }),
    );
  });

  it('has four bullets whatever the length and the value, so that two long values of one prefix and ending look the same', () => {
    fc.assert(
      fc.property(value, (text) => {
        expect(mask(text).match(/•/g)).toHaveLength(4);
      }),
    );
    expect(mask('•'.repeat(100))).toBe('••••');
    expect(mask(`abcdef${'-'.repeat(50)}xyz`)).toBe(mask(`abcdef${'-'.repeat(5000)}xyz`));
  });

  it('never cuts a character in two', () => {
    expect(mask('🔐'.repeat(40))).toBe('🔐🔐🔐🔐🔐🔐••••🔐🔐🔐');
  });

  it('holds nothing but printable characters, whatever the value holds', () => {
    const trouble = fc.constantFrom(
      ...'\n\r\t\0\x1b\x7f\u0085\u00a0\u00ad\u0301\u0e31\u200b\u200d\u202e\u2028\u2066\u2800\u3164\ufe0f\ufeff\ud83d\ue000\u0378',
    );
    const text = fc.array(
      fc.oneof(trouble, fc.constantFrom('a', '9', '-', ' ', '字', '🔐'), fc.string({ unit: 'binary', size: 'small' })),
      {
        maxLength: 100,
      },
    );
    fc.assert(
      fc.property(text, (parts) => {
        const shown = mask(parts.join(''));
        expect(shown).toMatch(printable);
        expect(shown).not.toMatch(invisible);
        expect(shown).toBe(shown.trim());
      }),
      { numRuns: 2000 },
    );
  });

  const long = 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyz123456789';
  it.each([
    ['ends with a newline', `${long}\n`],
    ['begins with a byte order mark', `\uFEFF${long}`],
    ['is written right to left', `\u202E${long}\u202C`],
    ['has an escape sequence in it', `s\u001bk${long.slice(2)}`],
    ['has marks in it', `s\u0301k${long.slice(2)}\u0301`],
    ['is in spaces', `  ${long}  `],
  ])('is that of the characters that are shown, for a value that %s', (_what, text) => {
    expect(mask(text)).toBe('sk-pro••••789');
  });

  it('counts only characters that are shown: fifteen of them between line ends show nothing', () => {
    expect(mask(`abcdefghijklmno${'\n'.repeat(100)}`)).toBe('••••');
  });
});

describe('the mask of a PEM file', () => {
  const ed25519 = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const bodyOf = (pem: string) =>
    pem
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('-'))
      .join('');

  it('is its kind and the last characters of its body, so that two keys can be told apart', () => {
    const [one, other] = [ed25519(), ed25519()];
    expect(mask(one)).toBe(`PRIVATE KEY••••${bodyOf(one).slice(-3)}`);
    expect(mask(one)).not.toBe(mask(other));
  });

  it('shows three characters before the padding, and names other kinds', () => {
    const pem = rsa.export({ type: 'pkcs1', format: 'pem' }).toString();
    const [ending] = /[^=]{3}=*$/.exec(bodyOf(pem)) ?? [];
    expect(mask(pem)).toBe(`RSA PRIVATE KEY••••${ending}`);
    const sealed = rsa.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' }).toString();
    expect(mask(sealed)).toMatch(/^ENCRYPTED PRIVATE KEY••••[\w+/]{3}={0,2}$/);
  });

  it('is the same in any line ends, without the last, on one line, and after a byte order mark', () => {
    const pem = ed25519();
    for (const form of [
      pem.trim(),
      pem.replaceAll('\n', '\r\n'),
      pem.replaceAll('\n', '\\n'),
      pem.replaceAll('\n', ' '),
      `\uFEFF${pem}`,
      `\n${pem}`,
    ]) {
      expect(mask(form)).toBe(mask(pem));
    }
  });

  it('tells chains with the same first certificate apart', () => {
    const block = (body: string) => `-----BEGIN CERTIFICATE-----\n${body.repeat(20)}\n-----END CERTIFICATE-----\n`;
    expect(mask(block('MIIB') + block('AAAx'))).toBe('CERTIFICATE••••AAx');
    expect(mask(block('MIIB') + block('AAAy'))).toBe('CERTIFICATE••••AAy');
  });

  it('shows at most a quarter of its characters, printable ones, whatever stands in it', () => {
    const kind = fc.constantFrom(
      'RSA PRIVATE KEY',
      'KEY',
      'PGP PRIVATE KEY BLOCK',
      'CERTIFICATE',
      'no kind',
      '\u202EKEY',
    );
    fc.assert(
      fc.property(kind, fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (label, body, isWhole) => {
        const pem = `-----BEGIN ${label}-----\n${body}${isWhole ? `\n-----END ${label}-----` : ''}`;
        const shown = mask(pem);
        expect([...shown].length - 4).toBeLessThanOrEqual([...pem].length / 4);
        expect(shown).toMatch(printable);
      }),
    );
  });

  it('shows no more than its kind of a short body, which could be guessed from its end', () => {
    expect(mask('-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----')).toBe('PRIVATE KEY••••');
  });
});
