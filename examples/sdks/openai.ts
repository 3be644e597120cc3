// OpenAI's SDK. What it takes for its API key is a credential of the gateway.
import OpenAI from 'openai';
import { token } from '../connect.ts';
import { useUrlOf } from './use-url.ts';

const openai = new OpenAI({ baseURL: `${await useUrlOf('OPENAI_API_KEY')}/v1`, apiKey: token });
const model = process.env.OPENAI_MODEL ?? 'gpt-4.1-mini';

const response = await openai.responses.create({ model, input: 'Say hello in one sentence.' });
console.log(response.output_text);

const stream = await openai.responses.create({ model, input: 'Count to three.', stream: true });
for await (const event of stream) {
  if (event.type === 'response.output_text.delta') process.stdout.write(event.delta);
}
console.log();
