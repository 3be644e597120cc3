import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DomainError } from '../errors.ts';
import { acceptsGzip } from '../http/accept-encoding.ts';
import { jsonType, prefersHtml } from '../http/media-type.ts';
import { jsonErrors } from '../http/refusal.ts';
import { bodyless, type Route } from '../http/route.ts';
import { isFromThisMachine } from '../http/transport.ts';
import { storageScript } from './graphiql-storage.ts';

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

/** One for each of the three systems of docs/three-systems.md. The demo team is the development token's. */
const providerSecrets = `# Keys of yours for the services of providers, such as OpenAI. The name is an environment variable's.
query ProviderSecrets {
  secrets {
    totalCount
    nodes {
      id
      name
      provider
      maskedValue
    }
  }
}

mutation CreateProviderSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      id
      name
      provider
      maskedValue
    }
    warnings {
      message
    }
  }
}
`;

const controllerSecrets = `# Secrets of a team, with notes and tags. All members of the team work with them.
query ControllerSecrets {
  secrets(owner: { teamId: "demo" }) {
    totalCount
    nodes {
      id
      name
      notes
      tags
      maskedValue
      version
    }
  }
}

mutation CreateControllerSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      id
      name
      notes
      tags
      maskedValue
      version
    }
    warnings {
      message
    }
  }
}
`;

const connectorSecrets = `# Secrets of a connector of a team. Templates name them by their placeholders.
query ConnectorSecrets {
  secrets(owner: { teamId: "demo", connectorId: "mail" }) {
    totalCount
    nodes {
      placeholder
      name
    }
  }
}

mutation CreateConnectorSecret($input: CreateSecretInput!) {
  createSecret(input: $input) {
    secret {
      placeholder
      name
    }
    secrets {
      totalCount
    }
    warnings {
      message
    }
  }
}
`;

const manySecrets = `# Up to 500 secrets of a team or a connector at once, or none. A dry run tells what would be done.
mutation CreateManySecrets($input: CreateSecretsInput!) {
  createSecrets(input: $input) {
    items {
      index
      action
      secret {
        name
        version
      }
      warnings {
        message
      }
    }
    totalCount
  }
}

# Copies for another owner. Nobody sees a value.
mutation CopySecrets {
  duplicateSecrets(input: { from: { teamId: "demo" }, to: { teamId: "demo", connectorId: "mail" }, dryRun: true }) {
    items {
      action
      secret {
        name
      }
    }
  }
}
`;

const whoseValue = `# Whose leaked value is this? Nothing is opened to find that out.
query WhoseValue($value: String!) {
  matchesSecret(value: $value) { name placeholder version }
}
`;

const watchSecrets = `# Changes to your secrets as they happen. Run it, keep a secret in another tab, and look here again.
subscription WatchSecrets {
  secretChanged {
    type
    version
    secret {
      name
      maskedValue
    }
    at
    cursor
  }
}
`;

const inputOf = (input: object) => JSON.stringify({ input }, null, 2);

const tabs = [
  { query: mySecrets, variables: '' },
  { query: keepSecret, variables: exampleSecret },
  { query: providerSecrets, variables: inputOf({ name: 'ANTHROPIC_API_KEY', provider: 'anthropic', value: '' }) },
  {
    query: controllerSecrets,
    variables: inputOf({ owner: { teamId: 'demo' }, name: 'switch in rack', notes: '', tags: [], value: '' }),
  },
  {
    query: connectorSecrets,
    variables: inputOf({ owner: { teamId: 'demo', connectorId: 'mail' }, name: 'client_id', value: '' }),
  },
  {
    query: manySecrets,
    variables: inputOf({
      owner: { teamId: 'demo' },
      onConflict: 'FAIL',
      dryRun: true,
      secrets: ['switch 1', 'switch 2'].map((name) => ({ name, value: '' })),
    }),
  },
  { query: whoseValue, variables: JSON.stringify({ value: '' }, null, 2) },
  { query: watchSecrets, variables: '' },
];

const comments = tabs.flatMap(({ query }) => query.match(/#.*/g) ?? []);

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
      await sendPage(response, await developmentToken(), acceptsGzip(request.headers['accept-encoding']));
    },
  };
}

function notFromThisMachine(): DomainError {
  return new DomainError('FORBIDDEN', {
    description:
      'The page holds a development token: open it in a browser on the gateway’s machine, by typing the URL that serve prints, and without a proxy or tunnel in between.',
  });
}

async function sendPage(response: ServerResponse, developmentToken: string, compressed: boolean): Promise<void> {
  // 9 MB that are loaded only when somebody opens the explorer.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const page = renderGraphiQL({
    title: 'secrets-gateway',
    defaultTabs: tabs,
    shouldPersistHeaders: false,
  }).replace('<head>', () => `<head>${storageScript(comments)}${withToken(developmentToken)}`);
  const body = compressed ? await gzipped(page) : page;
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...(compressed && { 'Content-Encoding': 'gzip' }),
    Vary: 'Accept, Accept-Encoding',
    'Content-Security-Policy': contentSecurityPolicy,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  });
  response.end(body);
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

const gzipped = promisify(gzip);
