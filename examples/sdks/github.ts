// GitHub's SDK: a call, a list of several pages, and a file that streams.
import { Octokit } from '@octokit/rest';
import { token } from '../connect.ts';
import { useUrlOf } from './use-url.ts';

const octokit = new Octokit({
  baseUrl: await useUrlOf('GITHUB_TOKEN'),
  auth: token,
  // It encodes the slashes in paths of files and in names of branches, and the broker refuses encoded slashes. GitHub takes plain ones.
  request: { fetch: (url: string, init: RequestInit) => fetch(url.replaceAll('%2F', '/'), init) },
});

const { data: user } = await octokit.rest.users.getAuthenticated();
console.log(`the key is ${user.login}'s`);

const [owner = '', repo = ''] = (process.argv[2] ?? 'octokit/rest.js').split('/');
const issues = await octokit.paginate(octokit.rest.issues.listForRepo, { owner, repo, per_page: 100 });
console.log(`${issues.length} open issues`);

const file = await octokit.rest.repos.getContent({
  owner,
  repo,
  path: process.argv[3] ?? 'src/index.ts',
  mediaType: { format: 'raw' },
  request: { parseSuccessResponseBody: false },
});
for await (const piece of file.data as unknown as ReadableStream<Uint8Array>) process.stdout.write(piece);
