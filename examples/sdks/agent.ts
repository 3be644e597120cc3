// An agent that works with three keys and holds none of them: its model's, and those of its two tools.
import OpenAI from 'openai';
import { token } from '../connect.ts';
import { useUrlOf } from './use-url.ts';

const openai = new OpenAI({ baseURL: `${await useUrlOf('OPENAI_API_KEY')}/v1`, apiKey: token });
const model = process.env.OPENAI_MODEL ?? 'gpt-4.1-mini';
const github = await useUrlOf('GITHUB_TOKEN');
const stripe = await useUrlOf('STRIPE_SECRET_KEY');

/** What the model may ask for. */
const tools: Record<string, { description: string; argument: string; url: (argument: string) => string }> = {
  list_issues: {
    description: 'Lists the open issues of a repository on GitHub.',
    argument: 'owner/name of the repository',
    url: (repository) => `${github}/repos/${repository}/issues`,
  },
  find_customers: {
    description: 'Finds customers in Stripe.',
    argument: 'an e-mail address',
    url: (email) => `${stripe}/v1/customers?email=${encodeURIComponent(email)}`,
  },
};

async function call(name: string, json: string): Promise<string> {
  const { argument = '' } = JSON.parse(json);
  console.log(`calls ${name}: ${argument}`);
  const url = tools[name]?.url(argument);
  if (url === undefined) return 'There is no such tool.';
  // What a model writes may be what somebody else told it. With `..` in it the path would be that of another secret.
  if (URL.parse(url)?.href !== url) return 'The argument cannot be used.';
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` }, redirect: 'error' });
  return `${answer.status} ${await answer.text()}`;
}

const messages: OpenAI.ChatCompletionMessageParam[] = [
  { role: 'user', content: process.argv[2] ?? 'Who of our customers wrote the open issues of octokit/rest.js?' },
];
for (let turn = 1; turn <= 10; turn += 1) {
  const completion = await openai.chat.completions.create({
    model,
    messages,
    tools: Object.entries(tools).map(([name, { description, argument }]) => ({
      type: 'function',
      function: {
        name,
        description,
        parameters: {
          type: 'object',
          properties: { argument: { type: 'string', description: argument } },
          required: ['argument'],
        },
      },
    })),
  });
  const message = completion.choices[0]?.message;
  if (!message) break;
  messages.push(message);
  if (!message.tool_calls?.length) {
    console.log(message.content);
    break;
  }
  for (const asked of message.tool_calls) {
    if (asked.type !== 'function') continue;
    const content = await call(asked.function.name, asked.function.arguments);
    messages.push({ role: 'tool', tool_call_id: asked.id, content });
  }
}
