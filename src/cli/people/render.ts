import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { keepDebuggerClosed } from '../debugger.ts';
import { CommandFailure } from '../failure.ts';
import { printable } from '../printable.ts';
import { UsageError } from '../usage-error.ts';
import type { Gateway } from './gateway.ts';
import { type GatewayOptions, gatewayOptions, gatewaySettings } from './options.ts';
import { type OutputFormat, outputFormats } from './output-format.ts';
import type { Reference } from './template.ts';

interface Options extends GatewayOptions {
  readonly output?: string;
  readonly format?: OutputFormat;
}

export const render: Command<Options> = {
  summary: 'write a file with values in it: from a template, or all of them',
  details: `In the template FILE, placeholders (sec_a23f23d26) and {{ NAME }} are replaced by values, without escaping. Without a template, --format writes all secrets of the owner: as assignments that a shell can source (no value can run code), as JSON or as YAML.

If a reference does not resolve, the error names it, and nothing is written. The output file has mode 0600 and is written completely or not at all. A symbolic link is not followed. It needs the scope secrets:resolve.`,
  arguments: [new Argument('[FILE]', 'the template; - is standard input')],
  options: [
    ...gatewayOptions(),
    new Option('-o, --output <OUT>', 'the file to write (default: standard output)'),
    new Option('--format <F>', 'instead of a template: all secrets of the owner').choices(outputFormats),
  ],
  settings: gatewaySettings,
  async run({ output, format, ...options }, file) {
    // Values are in memory from here on.
    keepDebuggerClosed();
    if ((file === undefined) === (format === undefined)) {
      throw new UsageError('Give either a template, or --format env, json or yaml to write all secrets.');
    }
    const { openGateway } = await import('./gateway.ts');
    const text = format
      ? await formatted(await openGateway(options), format)
      : await filled(file ?? '', () => openGateway(options));
    if (output === undefined || output === '-') process.stdout.write(text);
    else {
      const { writeOutput } = await import('./write-output.ts');
      await writeOutput(output, text);
    }
  },
};

async function formatted(gateway: Gateway, format: OutputFormat): Promise<string> {
  const { formatValues } = await import('./output-format.ts');
  const { resolve } = await import('./resolve.ts');
  const secrets = await resolve(gateway, { purpose: 'render' });
  const values = new Map(secrets.map(({ name, value }) => [name, value]));
  if (format !== 'env') return formatValues(values, format);
  const { refuseNul, selectVariables } = await import('./child-environment.ts');
  const { variables, skipped } = selectVariables(values, { only: [], renames: new Map() });
  refuseNul(variables);
  for (const { name, why } of skipped) process.stderr.write(`Skipped: ${printable(name)} ${why}.\n`);
  return formatValues(variables, format);
}

async function filled(file: string, open: () => Promise<Gateway>): Promise<string> {
  const { fillTemplate, parseTemplate, referencesOf } = await import('./template.ts');
  const { resolve } = await import('./resolve.ts');
  const parsed = parseTemplate(await readTemplate(file));
  if ('badLine' in parsed) {
    throw new CommandFailure(
      `Line ${parsed.badLine} of the template: {{ must be followed by a name and }}. Nothing was written.`,
    );
  }
  const { template } = parsed;
  const references = referencesOf(template);
  if (references.length === 0) return fillTemplate(template, () => '');
  const textsOf = (kind: Reference['kind']) => [
    ...new Set(references.filter((one) => one.kind === kind).map(({ text }) => text)),
  ];
  const gateway = await open();
  const secrets = await resolve(gateway, {
    purpose: 'render',
    names: textsOf('name'),
    placeholders: textsOf('placeholder'),
  });
  const byName = new Map(secrets.map(({ name, value }) => [name, value]));
  const byPlaceholder = new Map(secrets.map(({ placeholder, value }) => [placeholder, value]));
  const find = ({ kind, text }: Reference) => (kind === 'name' ? byName : byPlaceholder).get(text);
  const lost = references.filter((reference) => find(reference) === undefined);
  if (lost.length > 0) {
    const named = lost.map(({ text, line }) => `\n  line ${line}: ${printable(text)}`).join('');
    throw new CommandFailure(`These secrets do not exist, or have no value:${named}\nNothing was written.`);
  }
  return fillTemplate(template, (reference) => find(reference) ?? '');
}

const maxTemplateBytes = 16 * 1024 * 1024;

async function readTemplate(file: string): Promise<string> {
  const { readBytes } = await import('./read-bytes.ts');
  const bytes = await readBytes(file === '-' ? null : file, maxTemplateBytes, 'The template');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CommandFailure('The template is not UTF-8 text.');
  }
}
