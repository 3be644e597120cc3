import { DomainError } from '../../errors.ts';
import type { Provider } from '../../model/provider.ts';
import type { ProviderCheck } from '../../model/provider-check.ts';
import { isAllowedPath } from '../../rules/path-prefix.ts';
import { folded, isForwarded } from '../request-headers.ts';
import { readPathAndQuery } from '../target.ts';

type Tell = (member: 'path' | 'headers', message: string) => void;

/**
 * The check that an entry of the file gives, in the form in which requests are sent. It keeps to the destination, as a use does.
 * @param tell is told of each mistake
 */
export function givenCheck(check: ProviderCheck, destination: Provider['destination'], tell: Tell): ProviderCheck {
  for (const name of Object.keys(check.headers)) {
    if (folded(name) === folded(destination.header))
      tell('headers', 'must not have the header of the destination, which gets the value.');
    else if (!isForwarded(name))
      tell(
        'headers',
        'must have no header about the connection or the client, such as Host, Content-Length or Cookie.',
      );
  }
  try {
    const { path, query } = readPathAndQuery(check.path);
    if (!isAllowedPath(path, destination)) tell('path', 'must begin with one of the paths of the destination.');
    return { ...check, path: `${path}${query}` };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    tell('path', `must be one that every server reads in the same way. ${error.details.description ?? ''}`.trim());
    return check;
  }
}
