import type { IncomingMessage, ServerResponse } from 'node:http';

const defaultQuery = `# Your secrets. Values went in; masks come out.
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

/** Everything is in the page: it loads nothing, and may call nothing but this origin. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; " +
  "img-src data:; font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function wantsGraphiql(request: IncomingMessage): boolean {
  return request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
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
  response.end(
    renderGraphiQL({
      title: 'secrets-gateway',
      defaultQuery,
      additionalHeaders: { Authorization: `Bearer ${developmentToken}` },
      shouldPersistHeaders: false,
    }),
  );
}
