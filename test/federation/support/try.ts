import { writeFileSync } from 'node:fs';
import { startApolloGateway } from '../examples/apollo-gateway.ts';
import { startHiveGateway } from '../examples/hive-gateway.ts';
import { composers, fetchSubgraph } from './compose.ts';
import { startDirectory } from './directory.ts';
import { startSecretsGateway } from './secrets-gateway.ts';

const secrets = await startSecretsGateway();
const directory = await startDirectory();
const subgraphs = [await fetchSubgraph('secrets', secrets.url), await fetchSubgraph('directory', directory.url)];
const sgA = composers['@apollo/composition'](subgraphs);
const sgG = composers['@theguild/federation-composition'](subgraphs);
writeFileSync('/tmp/sgA.graphql', sgA);
writeFileSync('/tmp/sgG.graphql', sgG);
const apollo = await startApolloGateway(sgA, 0);
const hive = await startHiveGateway(sgG, 0);
const token = await secrets.issuer.token();
async function ask(url: string, query: string, variables = {}, headers = {}) {
  const r = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'x-request-id': 'from-the-client',
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  return [r.status, await r.text()];
}
const create =
  'mutation ($input: CreateSecretInput!) { createSecret(input: $input) { secret { id name maskedValue owner { ... on User { id email } } } } }';
for (const [n, { url }] of Object.entries({ apollo, hive })) {
  console.log('#####', n, url);
  const show = async (...a: [string, object?, object?]) => {
    const before = secrets.operations().length;
    console.log('-', a[0].slice(0, 90));
    console.log(...(await ask(url, ...a)));
    await new Promise((r) => setTimeout(r, 30));
    console.log('   ops', secrets.operations().slice(before));
  };
  await show(create, {
    input: { name: 'KEY_' + n, value: 'sk-proj-0123456789012345678901234567890123', provider: 'openai' },
  });
  await show('{ users { email secrets { totalCount nodes { name maskedValue } } } }');
  await show('{ viewer { subject } }');
  await show(
    '{ users { email } teams(ids: ["red", "blue"]) { title secrets { totalCount } } connectors { vendor secrets { totalCount } } secrets { totalCount } viewer { subject } }',
  );
  await show('{ secrets(owner: { teamId: "blue" }) { totalCount } }');
  await show(create, { input: { name: '1bad', value: '', provider: 'openai' } });
  await show(create, { input: { name: 'KEY_' + n, value: 'sk', provider: 'openai' } });
  await show('{ secrets(after: "zzz") { totalCount nodes { id } } }');
  await show('{ users { email secrets(after: "zzz") { totalCount nodes { id } } } }');
  await show('mutation { deleteSecret(input: { id: "4c07bc67-57ea-42dd-b702-c2d6c45419fc" }) { id } }');
  await show('{ users { email secrets { totalCount } } }', {}, { authorization: 'Bearer wrong' });
  await show('{ secrets { totalCount } }', {}, { authorization: 'Bearer wrong' });
  await show(
    '{ users { email secrets { totalCount } } }',
    {},
    { authorization: `Bearer ${await secrets.issuer.token({ scope: 'secrets:write' })}` },
  );
  await show('{ bookmark(secretId: "4c07bc67-57ea-42dd-b702-c2d6c45419fc") { note secret { name } } }');
  await show('{ bookmark(secretId: "nonsense") { note secret { name } } }');
  await show(
    '{ bookmark(secretId: "4c07bc67-57ea-42dd-b702-c2d6c45419fc") { note secret { name } } }',
    {},
    { authorization: 'Bearer wrong' },
  );
  await show('{ manyUsers(count: 100) { email secrets { totalCount } } }');
}
await apollo.close();
await hive.close();
await directory.close();
await secrets.close();
