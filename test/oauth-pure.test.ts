import { describe, expect, test } from 'vitest';
import { hashClientSecret, matchesClientSecret, newClientSecret } from '../src/core/client-secrets.js';
import { nestActors } from '../src/oauth/middleware/introspection.js';
import { protectedResourceMetadata } from '../src/oauth/metadata.js';
import { html } from '../src/oauth/pages/html.js';
import { hashOfNobody, hashPassword, verifyPassword } from '../src/core/passwords.js';
import { commandLineClient, defaultLimits } from '../src/oauth/contract/dependencies.js';

describe('passwords', () => {
  test('a hash tells its parameters, fits its column and verifies', async () => {
    const hash = await hashPassword('correct horse battery staple');
    expect(hash).toMatch(/^scrypt\$32768\$8\$1\$/);
    expect(hash.length).toBeLessThanOrEqual(300);
    expect(await verifyPassword('correct horse battery staple', hash)).toBe(true);
    expect(await verifyPassword('correct horse battery stapler', hash)).toBe(false);
  });

  test('the hash of nobody has the parameters of the others, and no password verifies', async () => {
    const parametersOf = (hash: string): string[] => hash.split('$').slice(0, 4);
    expect(parametersOf(hashOfNobody())).toEqual(parametersOf(await hashPassword('the same')));
    expect(hashOfNobody()).toHaveLength((await hashPassword('the same')).length);
    expect(hashOfNobody()).not.toBe(hashOfNobody());
    expect(await verifyPassword('the same', hashOfNobody())).toBe(false);
  });

  test('two hashes of one password differ', async () => {
    expect(await hashPassword('the same')).not.toBe(await hashPassword('the same'));
  });

  test('the same letters are the same password, however a system composes them', async () => {
    expect(await verifyPassword('cafe\u0301 au lait', await hashPassword('café au lait'))).toBe(true);
  });

  test.each(['', 'plain', 'scrypt$1$1$1$$', 'bcrypt$32768$8$1$AAAA$AAAA'])('%j is no hash', async (hash) => {
    expect(await verifyPassword('plain', hash)).toBe(false);
  });

  test('a password of megabytes is not hashed', async () => {
    expect(await verifyPassword('x'.repeat(2000), await hashPassword('x'.repeat(2000)))).toBe(false);
  });
});

describe('client secrets', () => {
  test('match any valid hash, and nothing where there is none', () => {
    const [one, two] = [newClientSecret(), newClientSecret()];
    const hashes = [hashClientSecret(one), hashClientSecret(two)];
    expect(hashes.map((hash) => hash.length)).toEqual([50, 50]);
    expect([one, two].map((secret) => matchesClientSecret(secret, hashes))).toEqual([true, true]);
    expect(matchesClientSecret('other', hashes)).toBe(false);
    expect(matchesClientSecret(one, [])).toBe(false);
    expect(matchesClientSecret('', [''])).toBe(false);
  });
});

test('actors nest: the outermost acts now', () => {
  const agent = (name: string) => ({ id: `id of ${name}`, name, delegationId: '' });
  expect(nestActors([])).toBeUndefined();
  expect(nestActors([agent('first'), agent('second'), agent('third')])).toEqual({
    sub: 'id of third',
    client_id: 'third',
    act: { sub: 'id of second', client_id: 'second', act: { sub: 'id of first', client_id: 'first' } },
  });
});

test('markup escapes what is not markup', () => {
  const name = `"><script>'&`;
  expect(html`<p title="${name}">${[name, html`<b>${1}</b>`]}${undefined}</p>`.text).toBe(
    '<p title="&quot;&gt;&lt;script&gt;&#39;&amp;">&quot;&gt;&lt;script&gt;&#39;&amp;<b>1</b></p>',
  );
});

describe('metadata', () => {
  const settings = {
    issuer: 'https://behalf.example',
    scopes: ['invoices:read'],
    accessTokenTtlSeconds: 300,
    refreshTokenTtlSeconds: 86_400,
    cookieKeys: [],
    clients: [commandLineClient],
    allowHttp: false,
    mutualTls: undefined,
    staticSecrets: true,
    passwordUsers: undefined,
    clientDocuments: false,
    clientRegistration: false,
    limits: defaultLimits,
  };

  test('of the protected resource (RFC 9728)', () => {
    expect(protectedResourceMetadata(settings, '/graphql')).toMatchObject({
      resource: 'https://behalf.example/graphql',
      authorization_servers: ['https://behalf.example'],
      bearer_methods_supported: ['header'],
    });
    expect(JSON.stringify(protectedResourceMetadata(settings, '/graphql'))).not.toContain('invoices:read');
  });
});
