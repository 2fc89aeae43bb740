// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../../src/app.js';
import { readConfig } from '../../../src/config.js';
import { errorCodes } from '../../../src/core/errors.js';
import { readSdl } from '../../../src/graphql/schema/sdl.js';
import { codes } from '../../support/administration.js';
import { everywhere, TestServer, type PersonFixture } from '../../support/server.js';

let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  person = await server.person({ scopes: ['audit:read'], boundary: { ...everywhere, person: 'all' } });
});
afterAll(() => server.stop());

const records = 'query ($code: String) { auditRecords(filter: { errorCode: $code }) { nodes { id } } }';

describe('31 a word that is one of few is known, or refused with the list', () => {
  test('the error code of a search of records', async () => {
    const { data, errors } = await server.query(person.token, records, { code: 'NOT_FOND' });
    expect(data?.auditRecords ?? null).toBeNull();
    expect(errors[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'filter.errorCode' });
    for (const code of errorCodes) expect(errors[0]?.message).toContain(code);
    for (const code of errorCodes)
      expect(codes(await server.query(person.token, records, { code }))).toEqual([]);
  });

  test('the column that holds the values of a dimension, or their numbers, when the server starts', async () => {
    const startWith = (from: string, to: string) => {
      const sdl = readSdl();
      expect(sdl).toContain(from);
      const config = readConfig({ DATABASE_URL: server.databaseUrl, BEHALF_LOG_LEVEL: 'fatal' });
      return createApp(config, { sdl: sdl.replace(from, to), database: server.database });
    };
    await expect(startWith('values: "Customer.region"', 'values: "Customer.orders"')).rejects.toThrow(
      'dimension region: Customer.orders is no column',
    );
    await expect(startWith('number: "Customer.number"', 'number: "Customer.orders"')).rejects.toThrow(
      'dimension customer: Customer.orders is no column',
    );
  });
});
