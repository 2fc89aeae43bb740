import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { asLogged } from '../src/core/logged-error.js';
import { internal } from '../src/core/errors.js';
import { StatementFailed } from '../src/store/drivers/statements.js';

const driverError = (errno: number, message: string): Error =>
  Object.assign(new Error(message), { errno, code: 'ER_X', sql: "INSERT INTO t VALUES ('hunter2')" });

test('a failed statement is told without its values', () => {
  const cause = driverError(1062, "Duplicate entry 'hunter2' for key 'users.email'");
  const logged = asLogged(internal(new StatementFailed(cause)));
  expect(JSON.stringify(logged)).not.toContain('hunter2');
  expect(logged).toMatchObject({
    type: 'BehalfError',
    code: 'INTERNAL',
    cause: { type: 'StatementFailed', cause: { code: 'ER_X', message: 'Duplicate entry ‹…› for key ‹…›' } },
  });
});

test('a name of our own that the database does not know is told', () => {
  const failed = new StatementFailed(driverError(1146, "Table 'behalf.audit_records' doesn't exist"));
  expect(asLogged(failed).message).toBe("Table 'behalf.audit_records' doesn't exist");
});

test.each([
  new GraphQLError('Enum "Status" cannot represent value: "hunter2"'),
  new SyntaxError(`Unexpected token 'h', "hunter2 and more" is not valid JSON`),
  new Error(`It said 'hunter2 and never ended`),
  Object.assign(new Error('no'), { parameters: ['hunter2'], query: "SELECT 'hunter2'" }),
])('what %s quotes or carries is not told', (error) => {
  expect(JSON.stringify(asLogged(error))).not.toContain('hunter2');
});

test('where it came from is told, in a bounded number of frames and causes', () => {
  let error: unknown = new Error('the first');
  for (let depth = 0; depth < 20; depth += 1) error = new Error('later', { cause: error });
  const logged = asLogged(error);
  expect(logged.at[0]).toMatch(/^at .*logged-error\.test\.ts/);
  expect(logged.at.length).toBeLessThanOrEqual(12);
  expect(JSON.stringify(logged).match(/"type"/g)).toHaveLength(6);
});

test('what is no error is told as that', () => {
  expect(asLogged('hunter2')).toEqual({ type: 'string', message: 'not an error', at: [] });
});
