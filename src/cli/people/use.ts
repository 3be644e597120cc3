import { Argument, Option } from 'commander';
import type { Command } from '../command.ts';
import { brokerSettings, type GatewayOptions, gatewayOptions, repeatable } from './options.ts';
import type { UseOptions } from './use-request.ts';

interface Options extends GatewayOptions, UseOptions {
  readonly include?: boolean;
}

export const use: Command<Options> = {
  summary: 'send a request to the destination of a secret; the gateway adds the value',
  details: `You never get the value. The answer goes to standard output, as it arrives.

  secrets-gateway use OPENAI_API_KEY -- /v1/models
  secrets-gateway use OPENAI_API_KEY --data '{"model":"gpt-5","input":"Hello","stream":true}' -- /v1/responses
  secrets-gateway use SHOP_KEY -H 'Content-Type: text/csv' --data-file rows.csv -- /v1/rows
  secrets-gateway use GITHUB_TOKEN -X DELETE --include -- /repos/acme/shop/git/refs/heads/old

A body that is JSON is sent as application/json. For any other body, set the type: --header 'Content-Type: …'. No redirect is followed, and nothing is sent twice.

Exit codes: 0 if the status is below 400; 1 if it is 400 or more (the answer is still printed), or if the gateway refuses the request; 3 if no gateway answers; 4 if it does not accept the credential. It needs the scope secrets:use, and with a name also secrets:read. With an id or a placeholder, secrets:use is enough.`,
  arguments: [
    new Argument('<NAME>', 'the name of the secret, its id or its placeholder'),
    new Argument('<PATH>', 'path and query at the destination, such as /v1/models?limit=3'),
  ],
  options: [
    ...gatewayOptions(),
    new Option('-X, --method <METHOD>', 'the method (default: GET, or POST with a body)'),
    repeatable('-H, --header <NAME: VALUE>', 'a header of the request'),
    new Option('-d, --data <TEXT>', 'the body; - is standard input').conflicts('dataFile'),
    new Option('--data-file <FILE>', 'a file with the body; - is standard input'),
    new Option('-i, --include', 'print the status and the headers of the answer before it'),
    new Option('--timeout <SECONDS>', 'end after this time without data; 0 for no limit').default('330'),
  ],
  settings: brokerSettings,
  tooMany: 'There is one argument too many. Options stand before the --, and text with spaces in quotes.',
  async run({ include = false, ...options }, name = '', path = '') {
    const { parseUse } = await import('./use-request.ts');
    const request = parseUse(options, path);
    const { openTarget } = await import('./use-target.ts');
    const target = await openTarget(options, name, request.path);
    const { openBody } = await import('./request-body.ts');
    const body = await openBody(request);
    const { sendUse } = await import('./send-use.ts');
    const { answer, end } = await sendUse(target, request, body);
    try {
      const { printAnswer } = await import('./print-answer.ts');
      await printAnswer(answer, target, include);
    } finally {
      end();
    }
  },
};
