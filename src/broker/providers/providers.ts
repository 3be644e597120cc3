import type { Provider } from '../../model/provider.ts';

/** How the value of a key is put into a request; what is left out is as with OAuth 2.0 access tokens (RFC 6750, section 2.1). */
interface Row extends Pick<Provider, 'title' | 'keyPrefixes'> {
  readonly origin: string;
  readonly header?: string;
  readonly format?: string;
  /** Without them every path of the origin. */
  readonly paths?: readonly string[];
}

/**
 * Well-known providers, by their ids, as their documentation describes them. Add a row here and in docs/providers.md. A value that
 * was set keeps its destination, whatever changes here.
 */
const rows: Readonly<Record<string, Row>> = {
  anthropic: {
    title: 'Anthropic',
    origin: 'https://api.anthropic.com',
    header: 'x-api-key',
    format: '{value}',
    keyPrefixes: ['sk-ant-'],
  },
  cloudflare: {
    title: 'Cloudflare',
    origin: 'https://api.cloudflare.com',
    paths: ['/client/v4'],
    keyPrefixes: ['cfut_', 'cfat_'],
  },
  cohere: { title: 'Cohere', origin: 'https://api.cohere.com', keyPrefixes: [] },
  datadog: {
    title: 'Datadog',
    origin: 'https://api.datadoghq.com',
    header: 'DD-API-KEY',
    format: '{value}',
    paths: ['/api'],
    keyPrefixes: [],
  },
  github: {
    title: 'GitHub',
    origin: 'https://api.github.com',
    keyPrefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
  },
  gitlab: {
    title: 'GitLab',
    origin: 'https://gitlab.com',
    header: 'PRIVATE-TOKEN',
    format: '{value}',
    paths: ['/api'],
    keyPrefixes: ['glpat-'],
  },
  google: {
    title: 'Google Gemini',
    origin: 'https://generativelanguage.googleapis.com',
    header: 'x-goog-api-key',
    format: '{value}',
    keyPrefixes: ['AIza', 'AQ.Ab'],
  },
  groq: { title: 'Groq', origin: 'https://api.groq.com', paths: ['/openai'], keyPrefixes: ['gsk_'] },
  huggingface: { title: 'Hugging Face', origin: 'https://huggingface.co', keyPrefixes: ['hf_'] },
  linear: {
    title: 'Linear',
    origin: 'https://api.linear.app',
    format: '{value}',
    paths: ['/graphql'],
    keyPrefixes: ['lin_api_'],
  },
  mistral: { title: 'Mistral AI', origin: 'https://api.mistral.ai', keyPrefixes: [] },
  notion: { title: 'Notion', origin: 'https://api.notion.com', paths: ['/v1'], keyPrefixes: ['ntn_'] },
  openai: {
    title: 'OpenAI',
    origin: 'https://api.openai.com',
    keyPrefixes: ['sk-proj-', 'sk-svcacct-', 'sk-admin-'],
  },
  openrouter: { title: 'OpenRouter', origin: 'https://openrouter.ai', paths: ['/api'], keyPrefixes: ['sk-or-'] },
  replicate: { title: 'Replicate', origin: 'https://api.replicate.com', paths: ['/v1'], keyPrefixes: ['r8_'] },
  sendgrid: { title: 'SendGrid', origin: 'https://api.sendgrid.com', paths: ['/v3'], keyPrefixes: ['SG.'] },
  sentry: {
    title: 'Sentry',
    origin: 'https://sentry.io',
    paths: ['/api'],
    keyPrefixes: ['sntrys_', 'sntryu_', 'sntrya_', 'sntryi_'],
  },
  slack: {
    title: 'Slack',
    origin: 'https://slack.com',
    paths: ['/api'],
    keyPrefixes: ['xoxb-', 'xoxp-', 'xoxe-', 'xoxe.xox', 'xapp-'],
  },
  stripe: {
    title: 'Stripe',
    origin: 'https://api.stripe.com',
    keyPrefixes: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'],
  },
  together: { title: 'Together AI', origin: 'https://api.together.xyz', keyPrefixes: ['tgp_v1_'] },
};

export const providers: readonly Provider[] = Object.entries(rows).map(
  ([id, { title, origin, header = 'Authorization', format = 'Bearer {value}', paths = null, keyPrefixes }]) => ({
    id,
    title,
    destination: { origin, header, format, paths },
    keyPrefixes,
    check: null,
  }),
);

/** What people call providers besides their ids. */
export const aliases: Readonly<Record<string, string>> = {
  claude: 'anthropic',
  gemini: 'google',
  hf: 'huggingface',
  'hugging-face': 'huggingface',
  mistralai: 'mistral',
  togetherai: 'together',
};
