/** How the names of their keys begin. */
const beginnings: Readonly<Record<string, readonly string[]>> = {
  openai: ['OPENAI'],
  anthropic: ['ANTHROPIC', 'CLAUDE'],
  google: ['GOOGLE', 'GEMINI'],
  github: ['GITHUB', 'GH'],
  gitlab: ['GITLAB'],
  stripe: ['STRIPE'],
  slack: ['SLACK'],
  openrouter: ['OPENROUTER'],
  mistral: ['MISTRAL'],
  groq: ['GROQ'],
  cohere: ['COHERE', 'CO_API_KEY'],
  huggingface: ['HUGGINGFACE', 'HUGGING_FACE', 'HF'],
  together: ['TOGETHER', 'TOGETHERAI'],
  replicate: ['REPLICATE'],
  notion: ['NOTION'],
  sendgrid: ['SENDGRID'],
  datadog: ['DATADOG', 'DD_API_KEY'],
  linear: ['LINEAR'],
  sentry: ['SENTRY_AUTH_TOKEN', 'SENTRY_API_KEY'],
  cloudflare: ['CLOUDFLARE', 'CF_API_TOKEN'],
};

/** The provider that a name tells, such as OPENAI_API_KEY; else `custom`. */
export function providerOfName(name: string): string {
  const upper = name.toUpperCase();
  const found = Object.entries(beginnings).find(([, words]) =>
    words.some((word) => upper === word || upper.startsWith(`${word}_`)),
  );
  return found?.[0] ?? 'custom';
}
