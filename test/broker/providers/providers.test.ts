import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSchema } from '../../../src/broker/providers/check-schema.ts';
import { givenCheck } from '../../../src/broker/providers/entry-check.ts';
import { aliases, providers } from '../../../src/broker/providers/providers.ts';
import { createAddressRule } from '../../../src/broker/upstream/addresses.ts';
import { providerOfName } from '../../../src/cli/people/provider-of-name.ts';
import { type Provider, ProviderTable } from '../../../src/model/provider.ts';
import { FieldErrors } from '../../../src/rules/field-errors.ts';
import { checkDestination } from '../../../src/secrets/destination-input.ts';
import { warningsOfProvider } from '../../../src/secrets/provider-warnings.ts';
import { recorded } from '../../support/recorded-providers.ts';

const page = readFileSync(new URL('../../../docs/providers.md', import.meta.url), 'utf8');
const table = new ProviderTable(providers, aliases);
const ids = providers.map(({ id }) => id);
const all = providers.flatMap((provider) => provider.keyPrefixes.map((prefix) => ({ provider, prefix })));

describe('the table of providers', () => {
  it.each(providers.map((provider) => [provider.id, provider] as const))(
    'keeps the rules of destinations that callers name, in canonical form: %s',
    (_id, { destination }) => {
      const errors = new FieldErrors();
      const reach = { allowHttp: false, isAllowedAddress: createAddressRule([]) };
      expect(checkDestination(destination, reach, errors)).toEqual({ ...destination, byHand: true });
      expect(errors.list).toEqual([]);
      expect(destination.origin).toMatch(/^https:/);
    },
  );

  it('has each id once, in lower case and in order, and each title once', () => {
    expect(ids).toEqual([...new Set(ids.map((id) => id.toLowerCase()))].sort());
    expect(new Set(providers.map(({ title }) => title)).size).toBe(ids.length);
    expect(table.rows).toEqual(providers);
  });

  it('has providers that people ask for', () => {
    const asked =
      'openai anthropic google github gitlab stripe slack openrouter mistral groq cohere huggingface together replicate notion sendgrid datadog linear sentry cloudflare';
    expect(ids).toEqual(expect.arrayContaining(asked.split(' ')));
  });

  it('has aliases that are no ids, for providers that are there', () => {
    for (const [alias, id] of Object.entries(aliases)) {
      expect(ids).toContain(id);
      expect(ids).not.toContain(alias);
      expect(table.find(alias.toUpperCase())).toBe(table.find(id));
    }
    for (const id of ['constructor', '__proto__', '', 'sk-']) expect(table.find(id)).toBeUndefined();
  });

  it('has no prefix with which keys of another provider begin', () => {
    for (const { provider, prefix } of all) {
      const others = all.filter((other) => other.provider !== provider);
      expect(others.filter((other) => other.prefix.startsWith(prefix) || prefix.startsWith(other.prefix))).toEqual([]);
      expect('sk-0123456789abcdef'.startsWith(prefix)).toBe(false);
      expect('secret_0123456789abcdef'.startsWith(prefix)).toBe(false);
    }
  });

  it('is what docs/providers.md shows', () => {
    const code = (texts: readonly string[]) => texts.map((text) => `\`${text}\``).join(', ') || '–';
    const aliasesOf = (id: string) => Object.keys(aliases).filter((alias) => aliases[alias] === id);
    const rows = providers.map(({ id, title, destination: { origin, header, format, paths }, keyPrefixes, check }) => {
      const cells = [code([id, ...aliasesOf(id)]), title, code([origin]), code([`${header}: ${format}`])];
      const checked = `${code([`${check?.method} ${check?.path}`])}${recorded[id]?.isDocumented ? '' : ' ¹'}`;
      return `| ${[...cells, paths ? code(paths) : 'all', code(keyPrefixes), checked].join(' | ')} |`;
    });
    const [, section = ''] = page.split('\n## The table\n');
    expect(section.split('\n## ')[0]?.match(/^\| `.*$/gm)).toEqual(rows);
  });

  it('has checks that keep the rules of those in BROKER_PROVIDERS_FILE, and that its destinations allow', () => {
    for (const { destination, check } of providers) {
      const mistakes: string[] = [];
      const parsed = checkSchema.parse(check);
      expect(givenCheck(parsed, destination, (member) => mistakes.push(member))).toEqual(check);
      expect(mistakes).toEqual([]);
    }
  });

  it('shows on its page the keys that are not checked', () => {
    const [, section = ''] = page.split('\n## How keys are checked\n');
    for (const { check } of providers)
      for (const prefix of check?.notForPrefixes ?? []) expect(section.split('\n## ')[0]).toContain(`\`${prefix}\``);
  });

  it('has the providers that the command line finds in names', () => {
    for (const id of ids) expect(providerOfName(`${id.toUpperCase()}_API_KEY`)).toBe(id);
    for (const name of ['DD_API_KEY', 'CF_API_TOKEN', 'SENTRY_AUTH_TOKEN', 'GEMINI_API_KEY', 'HF_TOKEN'])
      expect(ids).toContain(providerOfName(name));
    for (const name of ['LINEARITY', 'NOTIONAL_KEY', 'DD', 'CF_ACCOUNT']) expect(providerOfName(name)).toBe('custom');
  });
});

describe('a table of rows', () => {
  const row = (id: string, ...keyPrefixes: string[]): Provider => ({
    id,
    title: id,
    destination: { origin: `https://${id}.test`, header: 'A', format: '{value}', paths: null },
    keyPrefixes,
    check: null,
  });

  it('takes the later of two rows with one id, for its aliases too, and an id before an alias', () => {
    const [first, second, other] = [row('a'), row('a'), row('b')];
    const replaced = new ProviderTable([other, first, second], { c: 'a', b: 'a', d: 'e' });
    expect(replaced.rows).toEqual([second, other]);
    expect(replaced.find('A')).toBe(second);
    expect(replaced.find('C')).toBe(second);
    expect(replaced.find('b')).toBe(other);
    expect(replaced.find('d')).toBeUndefined();
  });

  it('tells whose keys begin so: the longest prefix counts, and several may share it', () => {
    const [short, long, same] = [row('a', 'k-', 'k-x'), row('b', 'k-long-', 'k-'), row('c', 'k-long-')];
    const mixed = new ProviderTable([short, long, same]);
    expect(mixed.ofKey('k-1')).toEqual([short, long]);
    expect(mixed.ofKey('k-x1')).toEqual([short]);
    expect(mixed.ofKey('k-long-1')).toEqual([long, same]);
    expect(mixed.ofKey('K-1')).toEqual([]);
    expect(mixed.ofKey('')).toEqual([]);
  });
});

describe('a value that begins as the keys of a provider', () => {
  const rest = fc.string({ unit: fc.constantFrom(...'0123456789abcdefXYZ_-.'), minLength: 8, maxLength: 100 });
  const told = (value: string, provider: string | null) =>
    warningsOfProvider({ field: 'value', value }, provider, table);

  it('gets a warning under every other provider, and none under its own; nothing of the value is in it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), rest, fc.constantFrom(...ids, 'custom', 'p'), (key, after, named) => {
        const { provider, prefix } = key;
        const value = `${prefix}${after}`;
        const warnings = told(value, named);
        if (named === provider.id) return warnings.length === 0;
        const [{ field, type, message } = { field: '', type: '', message: '' }] = warnings;
        expect([warnings.length, field, type]).toEqual([1, 'value', 'other_provider']);
        expect(message).toContain(`${provider.title} (provider ${provider.id})`);
        expect(message).not.toContain(after);
        return !message.includes(prefix);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['OpenAI', 'OPENAI'])('may have its provider in any case: %s', (provider) => {
    expect(told('sk-proj-0123456789', provider)).toEqual([]);
  });

  it('may have an alias for its provider', () => {
    expect(told('AIzaSy0123456789', 'gemini')).toEqual([]);
    expect(told('AIzaSy0123456789', 'claude')).toHaveLength(1);
  });

  it('is told also where a line end follows', () => {
    expect(told('sk-ant-api03-0123456789\n', 'openai')).toHaveLength(1);
  });

  it.each([
    ['several providers have keys of that kind', 'sk-0123456789abcdef', 'anthropic'],
    ['no provider has', '0123456789abcdef', 'openai'],
    ['it is within the value', 'my sk-ant-api03-0123456789', 'openai'],
    ['it is in other letters', 'SK-ANT-api03-0123456789', 'openai'],
    ['hardly anything follows', 'hf_home', 'openai'],
    ['it is a text of words', 'SG. is the airline code of SpiceJet', 'openai'],
    ['nothing is said of the provider', 'sk-ant-api03-0123456789', null],
  ])('gets none where %s', (_why, value, provider) => {
    expect(told(value, provider)).toEqual([]);
  });
});
