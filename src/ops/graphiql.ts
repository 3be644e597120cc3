import type { ServerResponse } from 'node:http';
import { DomainError } from '../errors.ts';
import { jsonType, prefersHtml } from '../http/media-type.ts';
import { jsonErrors } from '../http/refusal.ts';
import { bodyless, type Route } from '../http/route.ts';
import { isFromThisMachine } from '../http/transport.ts';

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

const keepSecret = `# Write a value of your own in the variables below.
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
 * GraphiQL would store what is typed, values included, in the browser's profile on disk: its tabs in localStorage, and the
 * document in the URL and so in the history.
 */
const withoutStorage = `<script>{
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

/** The page holds everything: it loads nothing, and may call this origin only. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; " +
  "img-src data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What GraphQL over HTTP answers with: a client that prefers one of these is no browser that navigates here. */
const dataTypes = ['application/graphql-response+json', jsonType];

/**
 * `GET /` and `GET /graphql` for a browser: the GraphiQL explorer.
 * @param developmentToken makes the explorer's requests work at the first click
 */
export function graphiql(path: '/' | '/graphql', developmentToken: () => Promise<string>): Route {
  return {
    path,
    methods: ['GET'],
    accepts: ({ method, headers }) => method === 'GET' && prefersHtml(headers.accept, dataTypes),
    admission: 'slot',
    anyHost: false,
    limits: bodyless,
    errors: jsonErrors,
    crossOrigin: false,
    async answer({ request, response }) {
      if (!isFromThisMachine(request)) throw notFromThisMachine();
      await sendPage(response, await developmentToken());
    },
  };
}

function notFromThisMachine(): DomainError {
  return new DomainError('FORBIDDEN', {
    description:
      'The page holds a development token: open it in a browser on the gateway’s machine, by typing the URL that serve prints, and without a proxy or tunnel in between.',
  });
}

async function sendPage(response: ServerResponse, developmentToken: string): Promise<void> {
  // 9 MB that are loaded only when somebody opens the explorer.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  });
  const page = renderGraphiQL({
    title: 'secrets-gateway',
    defaultTabs: [
      { query: mySecrets, variables: '' },
      { query: keepSecret, variables: exampleSecret },
    ],
    shouldPersistHeaders: false,
  });
  response.end(page.replace('<head>', `<head>${withoutStorage}${withToken(developmentToken)}`));
}

/** Sends the development token, unless the Headers tab has credentials: two at once would be refused. */
function withToken(developmentToken: string): string {
  return `<script>{
    const send = window.fetch;
    window.fetch = (resource, options = {}) => {
      const headers = new Headers(options.headers ?? (resource instanceof Request ? resource.headers : undefined));
      const hasCredentials = headers.get('authorization') || headers.get('x-api-key');
      if (!hasCredentials) headers.set('authorization', ${JSON.stringify(`Bearer ${developmentToken}`)});
      return send(resource, { ...options, headers });
    };
  }</script>`;
}
