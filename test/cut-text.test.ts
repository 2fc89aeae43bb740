import { expect, test } from 'vitest';
import { formatError } from '../src/graphql/errors.js';
import { cutText } from '../src/core/cut-text.js';
import { badInput } from '../src/core/errors.js';
import { asking } from '../src/transports/mcp/asking.js';
import { messageOf } from '../src/transports/mcp/message.js';
import { withShortError } from '../src/transports/mcp/sdk-errors.js';

test('a text is cut between characters, and is otherwise as long as it may be', () => {
  expect([0, 1, 2, 3, 4, 5].map((lengthMax) => cutText('a😀é', lengthMax))).toEqual([
    ...['', 'a', 'a', 'a😀', 'a😀é', 'a😀é'],
  ]);
  // A half of a character that stood there before is kept.
  expect(cutText('\ud83dbc', 1)).toBe('\ud83d');
});

test('texts of callers are cut so for an answer and for a record', () => {
  const long = (lengthMax: number): string => `${'a'.repeat(lengthMax - 1)}😀 more`;
  const scope = { scope: 'tickets:read', held: false, next: 'Ask.' };
  const report = { person: 'Rosa', task: null, scopes: [scope] } as never;
  const sdkError = { jsonrpc: '2.0', id: 1, error: { code: -32_600, message: long(500) } };
  const texts = {
    reason: JSON.stringify(asking(report, long(500))),
    record: messageOf({ method: 'tools/call', params: { name: long(200) } }).target,
    sdk: withShortError(Buffer.from(JSON.stringify(sdkError))).toString(),
    graphql: formatError({ message: '' }, badInput(long(1_000), 'a')).message,
  };
  for (const [name, text] of Object.entries(texts)) {
    expect(text, name).toContain('aaa');
    expect(text, name).not.toMatch(/\ufffd|\\ud83d|\p{Surrogate}/u);
  }
});
