import type { IncomingMessage, ServerResponse } from 'node:http';
import { prefersHtml } from '../http/media-type.ts';

const mySecrets = `# Your secrets. Values went in; masks come out.
query MySecrets {
  viewer {
    subject
    scopes
    teams {
      id
      role
    }
  }
  secrets(first: 10) {
    totalCount
    nodes {
      id
      name
      provider
      maskedValue
      placeholder
      version
    }
  }
}
`;

const keepSecret = `# Put a value of your own into the variables below.
mutation KeepSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      id
      name
      maskedValue
      placeholder
    }
    secrets {
      totalCount
    }
  }
}
`;

const exampleSecret = JSON.stringify(
  { input: { owner: {}, name: 'OPENAI_API_KEY', provider: 'openai', value: '' } },
  null,
  2,
);

/**
 * GraphiQL would keep what is typed, values among it, in the browser's profile on disk: its tabs in localStorage, and
 * the document in the URL, and so in the history.
 */
const forgetful = `<script>{
  const items = new Map();
  const localStorage = {
    get length() { return items.size; },
    clear: () => items.clear(),
    getItem: (key) => items.get(key) ?? null,
    removeItem: (key) => items.delete(key),
    setItem: (key, value) => items.set(key, value),
  };
  Object.defineProperty(window, 'localStorage', { value: localStorage });
  history.replaceState = () => {};
}</script>`;

/** Everything is in the page: it loads nothing, and may call nothing but this origin. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; " +
  "img-src data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function wantsGraphiql(request: IncomingMessage): boolean {
  return request.method === 'GET' && prefersHtml(request.headers.accept);
}

/** @param developmentToken makes the explorer's requests work at the first click */
export async function sendGraphiql(response: ServerResponse, developmentToken: string): Promise<void> {
  // 9 MB: nobody who does not open the explorer pays for it.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': contentSecurityPolicy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
  });
  const page = renderGraphiQL({
    title: 'secrets-gateway',
    defaultTabs: [
      { query: mySecrets, variables: '' },
      { query: keepSecret, variables: exampleSecret },
    ],
    additionalHeaders: { Authorization: `Bearer ${developmentToken}` },
    shouldPersistHeaders: false,
  });
  response.end(page.replace('<head>', `<head>${forgetful}`));
}
