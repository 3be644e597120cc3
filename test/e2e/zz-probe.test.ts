import { connect } from 'node:net';
import { it } from 'vitest';
import { TestGateway } from '../support/gateway.ts';

it('probe', async () => {
  const g = await TestGateway.start('sqlite', { RATE_LIMIT: 'off' });
  const J = { accept: 'application/json' };
  const show = async (n: string, p: Promise<any>) => {
    const a = await p;
    console.log(n, a.status, a.text.slice(0, 420), a.headers.get('allow') ?? '', a.headers.get('content-type'));
    return a;
  };
  await show('anon json', g.run('{viewer{subject}}', {}, { token: null, headers: J }));
  await show('anon gql', g.run('{viewer{subject}}', {}, { token: null }));
  await show('anon mix', g.run('{__typename viewer{subject}}', {}, { token: null, headers: J }));
  await show('batch11', g.send({ body: JSON.stringify(Array(11).fill({ query: '{__typename}' })) }));
  await show(
    'batch11 json',
    g.send({ body: JSON.stringify(Array(11).fill({ query: '{__typename}' })) }, { headers: J }),
  );
  await show('batch0', g.send({ body: '[]' }));
  await show(
    'batch mix',
    g.send({
      body: JSON.stringify([
        { query: '{__typename}' },
        { query: '{nope}' },
        { query: '{viewer{subject}}' },
        5,
        null,
        {},
      ]),
    }),
  );
  await show('batch bad item', g.send({ body: JSON.stringify([{ query: '{__typename}' }, 5]) }));
  await show(
    'batch anon',
    g.send({ body: JSON.stringify([{ query: '{__typename}' }, { query: '{viewer{subject}}' }]) }, { token: null }),
  );
  await show(
    'batch anon json',
    g.send(
      { body: JSON.stringify([{ query: '{__typename}' }, { query: '{viewer{subject}}' }]) },
      { token: null, headers: J },
    ),
  );
  await show(
    'cycle',
    g.run(
      '{secrets{nodes{...A ...B}}} fragment A on Secret{owner{...on Team{secrets{nodes{...B ...C}}}}} fragment B on Secret{owner{...on Team{secrets{nodes{...C ...A}}}}} fragment C on Secret{owner{...on Team{secrets{nodes{...A ...B}}}}}',
    ),
  );
  await show(
    'get mutation',
    fetch(g.url + '?query=' + encodeURIComponent('mutation{deleteSecret(input:{id:"a"}){id}}'), {
      headers: { accept: 'application/json', authorization: 'Bearer ' + (await g.issuer.token()) },
    }).then(async (r) => ({ status: r.status, headers: r.headers, text: await r.text() })),
  );
  for (const m of ['PUT', 'DELETE', 'OPTIONS', 'PATCH', 'HEAD']) await show(m, g.send({ method: m }));
  await show('dup', g.run('{secrets{' + 'nodes{owner{__typename}} '.repeat(280) + '}}'));
  await show('id abort', g.run('{secrets{nodes{' + 'id '.repeat(1900) + '}}}'));
  await show('missing op', g.run('query A{__typename} query B{__typename}'));
  await show(
    'typed 422',
    g.run('mutation($i:CreateSecretInput!){createSecret(input:$i){secret{id}}}', { i: { name: 'A' } }),
  );
  await show(
    'typed 422 json',
    g.run('mutation($i:CreateSecretInput!){createSecret(input:$i){secret{id}}}', { i: { name: 'A' } }, { headers: J }),
  );
  await show(
    'partial',
    g.run('query($a:[_Any!]!){_entities(representations:$a){...on User{id secrets{totalCount}}} viewer{subject}}', {
      a: [
        { __typename: 'User', id: 'ada' },
        { __typename: 'User', id: 'bob' },
      ],
    }),
  );
  await show('secret+bad', g.run('{secret(id:"x"){id} viewer{subject}}'));
  await show('introspect', g.run('{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}'));
  await show('too deep', g.run('{a'.repeat(3000) + '}'.repeat(3000)));
  await show('404', g.send({ body: '{}' }, {}, '/x'));
  await show('wrongcreds', g.run('{viewer{subject}}', {}, { token: 'a.b.c', headers: J }));
  await show('415', g.send({ body: 'x' }, { headers: { 'content-type': 'text/plain' } }));
  await show('406', g.send({ body: 'x' }, { headers: { accept: 'text/html' } }));
  await show('fieldinfo batched tokens', g.send({ body: JSON.stringify({ query: '{__typename}', documentId: 'a' }) }));
  await show(
    'ext',
    g.send({
      body: JSON.stringify({ query: '{__typename}', extensions: { persistedQuery: { version: 1, sha256Hash: 'aa' } } }),
    }),
  );
  const u = new URL(g.url);
  const raw = (text: string) =>
    new Promise<void>((res) => {
      const s = connect(Number(u.port), '127.0.0.1', () => s.write(text));
      let t = '';
      s.on('data', (d) => {
        t += d;
      });
      s.on('close', () => {
        console.log('RAW', JSON.stringify(t.slice(0, 300)));
        res();
      });
      s.on('error', (e) => console.log('RAWERR', e.message));
      setTimeout(() => s.end(), 500);
    });
  await raw('GET / HTTP/9.9\r\n\r\n');
  await raw('GET /graphql HTTP/1.1\r\nHost: a\r\nX: ' + 'a'.repeat(20000) + '\r\n\r\n');
  await raw(
    'POST /graphql HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n',
  );
  await raw(
    'POST /graphql HTTP/1.1\r\nHost: a\r\nExpect: meow\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n',
  );
  await raw('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n');
  await raw('GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await raw('GET /graphql HTTP/1.1\r\n\r\n');
  await g.close();
}, 60000);
