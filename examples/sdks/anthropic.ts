// Anthropic's SDK. It puts the gateway's credential into x-api-key, where the provider's key goes.
import Anthropic from '@anthropic-ai/sdk';
import { token } from '../connect.ts';
import { useUrlOf } from './use-url.ts';

const anthropic = new Anthropic({ baseURL: await useUrlOf('ANTHROPIC_API_KEY'), apiKey: token });
const model = process.env.ANTHROPIC_MODEL ?? 'claude-haiku-4-5';

const message = await anthropic.messages.create({
  model,
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Say hello in one sentence.' }],
});
for (const block of message.content) if (block.type === 'text') console.log(block.text);

const stream = anthropic.messages.stream({
  model,
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Count to three.' }],
});
stream.on('text', (text) => process.stdout.write(text));
await stream.finalMessage();
console.log();
