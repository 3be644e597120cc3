import { DomainError } from '../errors.ts';
import { HttpRefusal } from './refusal.ts';
import type { Route } from './route.ts';

export function shuttingDown(): DomainError {
  return new HttpRefusal(
    'SERVICE_UNAVAILABLE',
    { Connection: 'close' },
    { description: 'The gateway is shutting down.', retryAfterSeconds: 1 },
  );
}

export function notFound(routes: readonly Route[]): DomainError {
  const paths = [...new Set(routes.map(({ path }) => path))].join(', ');
  return new DomainError('NOT_FOUND', { description: `There is nothing at this path. The paths are: ${paths}.` });
}

const fewMethods = 5;

export function methodNotAllowed(methods: readonly string[]): DomainError {
  return new HttpRefusal(
    'METHOD_NOT_ALLOWED',
    { Allow: methods.join(', ') },
    {
      description:
        methods.length > fewMethods
          ? 'Send the request with one of the methods in Allow.'
          : `Send the request with ${methods.join(' or ')}.`,
    },
  );
}

export function foreignHost(): DomainError {
  return new DomainError('FORBIDDEN', {
    description: 'In development mode the gateway answers to localhost, 127.0.0.1 and [::1] only.',
  });
}
