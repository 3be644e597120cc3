import type { Row } from './row.ts';

/** Providers of models, by their ids. */
export const modelProviders: Readonly<Record<string, Row>> = {
  anthropic: {
    title: 'Anthropic',
    origin: 'https://api.anthropic.com',
    header: 'x-api-key',
    format: '{value}',
    keyPrefixes: ['sk-ant-'],
    // Since version 1 for JavaScript and 2 for Python.
    sdkHeaders: ['authorization'],
    check: {
      path: '/v1/models?limit=1',
      headers: { 'anthropic-version': '2023-06-01' },
      // Keys of administrators and tokens of OAuth are for other endpoints and headers.
      notForPrefixes: ['sk-ant-admin', 'sk-ant-oat'],
    },
  },
  cohere: {
    title: 'Cohere',
    origin: 'https://api.cohere.com',
    keyPrefixes: [],
    check: {
      method: 'POST',
      path: '/v1/check-api-key',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
      results: {
        200: [
          { at: '/valid', is: [true], result: 'VALID' },
          { at: '/valid', is: [false], result: 'REJECTED' },
        ],
      },
    },
  },
  google: {
    title: 'Google Gemini',
    origin: 'https://generativelanguage.googleapis.com',
    header: 'x-goog-api-key',
    format: '{value}',
    keyPrefixes: ['AIza', 'AQ.Ab'],
    check: {
      path: '/v1beta/models?pageSize=1',
      results: {
        // The status for a key that nobody has. Other bad requests have it, too.
        400: [{ at: '/error/details/*/reason', is: ['API_KEY_INVALID'], result: 'REJECTED' }],
        // Some good keys get a 401, with the reason ACCESS_TOKEN_TYPE_UNSUPPORTED.
        401: [{ at: '/error/details/*/reason', is: ['API_KEY_INVALID'], result: 'REJECTED' }],
        403: [{ at: '/error/details/*/reason', is: ['SERVICE_DISABLED', 'API_KEY_SERVICE_BLOCKED'], result: 'VALID' }],
      },
    },
  },
  groq: {
    title: 'Groq',
    origin: 'https://api.groq.com',
    paths: ['/openai'],
    keyPrefixes: ['gsk_'],
    check: { path: '/openai/v1/models' },
  },
  huggingface: {
    title: 'Hugging Face',
    origin: 'https://huggingface.co',
    keyPrefixes: ['hf_'],
    check: { path: '/api/whoami-v2' },
  },
  mistral: {
    title: 'Mistral AI',
    origin: 'https://api.mistral.ai',
    keyPrefixes: [],
    check: { path: '/v1/models' },
  },
  openai: {
    title: 'OpenAI',
    origin: 'https://api.openai.com',
    keyPrefixes: ['sk-proj-', 'sk-svcacct-', 'sk-admin-'],
    check: {
      path: '/v1/models',
      results: {
        // Good keys that lack a permission, or are used from another address, get a 401 as well, with another code.
        401: [{ at: '/error/code', is: ['invalid_api_key', 'account_deactivated'], result: 'REJECTED' }],
      },
      // Keys of administrators are for other endpoints.
      notForPrefixes: ['sk-admin-'],
    },
  },
  openrouter: {
    title: 'OpenRouter',
    origin: 'https://openrouter.ai',
    paths: ['/api'],
    keyPrefixes: ['sk-or-'],
    // It lists its models to anybody.
    check: { path: '/api/v1/key' },
  },
  replicate: {
    title: 'Replicate',
    origin: 'https://api.replicate.com',
    paths: ['/v1'],
    keyPrefixes: ['r8_'],
    check: { path: '/v1/account' },
  },
  together: {
    title: 'Together AI',
    origin: 'https://api.together.xyz',
    keyPrefixes: ['tgp_v1_'],
    check: { path: '/v1/models' },
  },
};
