import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { passwordIn } from '../../src/cli/login.js';
import { makeProgram } from '../../src/cli/program.js';
import { momentOf } from '../../src/cli/terminal/options.js';
import { readText } from '../../src/cli/terminal/read-text.js';

const folder = mkdtempSync(join(tmpdir(), 'behalf-options-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the command says to these words; it must not come to open a database. */
async function refusalOf(...words: string[]): Promise<string> {
  const program = makeProgram();
  let told = '';
  const withOthers = (command: Command): Command[] => [command, ...command.commands.flatMap(withOthers)];
  for (const command of withOthers(program))
    command.exitOverride().configureOutput({ writeErr: (text) => (told += text), writeOut: () => undefined });
  const ended = program.parseAsync(words, { from: 'user' });
  await expect(ended).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  return told;
}

describe('31 a command takes no option that it does not understand', () => {
  test.each([
    ['--outcome', 'refsued', 'succeeded, partial, refused, failed'],
    ['--outcome', '', 'succeeded, partial, refused, failed'],
    ['--kind', 'graphq1', 'graphql, token, revocation, sign_in'],
    ['--error-code', 'FORBIDEN', 'UNAUTHENTICATED, FORBIDDEN'],
    ['--delegation', 'D-1', 'an id'],
    ['--resource', 'Invoise:01J', 'There are: Agent,'],
    ['--resource', 'Invoice', 'TYPE:ID'],
    ['--limit', '0', 'at least 1'],
    ['--limit', '1e3', 'whole number'],
    ['--limit', '-5', 'whole number'],
  ])('audit %s %j is refused, with what it can be', async (option, value, hint) => {
    for (const name of ['tail', 'search'])
      expect(await refusalOf('audit', name, `${option}=${value}`)).toContain(hint);
  });

  test.each([
    ...['1', '2026', '2026-03', '20260301', 'yesterday', '', '2h30m', '1.5h', '-2h', '2 h', '7w', '٢h'],
    ...['2026-02-30', '2026-13-01', '2026-03-01T25:00', '2026-03-01 09', '03/01/2026', '1.3.2026'],
    ...[
      '2026-03-01T09:30+15:00',
      '2026-03-01T09:30+0100',
      'Mar 1 2026',
      '99999d9',
      '2026-03-01T09:30:00Zulu',
    ],
  ])('%j is no moment', async (text) => {
    expect(await refusalOf('audit', 'search', `--since=${text}`)).toContain('2026-03-01T09:30');
    expect(await refusalOf('audit', 'tail', `--until=${text}`)).toContain('2026-03-01T09:30');
    expect(await refusalOf('documents', 'report', `--since=${text}`)).toContain('2026-03-01T09:30');
  });

  describe.each(['UTC', 'America/New_York', 'Asia/Kolkata'])('with the clock of %s', (zone) => {
    beforeEach(() => {
      vi.stubEnv('TZ', zone);
    });
    afterEach(() => {
      vi.unstubAllEnvs();
    });

    test.each([
      ['2026-03-01', '2026-03-01T00:00:00.000Z'],
      ['2026-03-01T09:30', '2026-03-01T09:30:00.000Z'],
      ['2026-03-01 09:30:05', '2026-03-01T09:30:05.000Z'],
      ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.000Z'],
      ['2026-03-01T09:30:00+05:30', '2026-03-01T04:00:00.000Z'],
    ])('%s is %s', (text, moment) => {
      expect(momentOf(text)).toBe(moment);
    });
  });

  test('so long ago is counted from now', () => {
    vi.useFakeTimers({ now: Date.parse('2026-03-08T12:00:00Z') });
    expect(['90s', '15m', '2h', '7d'].map(momentOf)).toEqual([
      '2026-03-08T11:58:30.000Z',
      '2026-03-08T11:45:00.000Z',
      '2026-03-08T10:00:00.000Z',
      '2026-03-01T12:00:00.000Z',
    ]);
    vi.useRealTimers();
  });

  test.each([
    ['a single line that begins with #', '#fig-tree-9\n', '#fig-tree-9'],
    ['a single line with spaces at its ends', ' a b \r\n', ' a b '],
    ['a single line that looks like a comment', '# pass phrase', '# pass phrase'],
    ['CR as the end of lines', '# all\rrosa: one\rada: two\r', 'one'],
    ['a line of the name', '# people\nrosa: #one: two\nada: three\n', '#one: two'],
    ['a comment and one line', '# mine\nsecret words\n', 'secret words'],
    ['two lines of nobody', 'one\ntwo\n', undefined],
    ['two lines that both begin with #', '# one\n#two\n', undefined],
    ['nothing', '\n', undefined],
  ])('a password file with %s', (_, text, password) => {
    expect(passwordIn(text, 'rosa')).toBe(password);
  });

  test('a byte order mark is no part of a text, and what is not UTF-8 is refused', () => {
    const file = join(folder, 'password.txt');
    writeFileSync(file, '\ufeffrosa: one\r\n');
    expect(readText(file)).toBe('rosa: one\r\n');
    writeFileSync(file, Buffer.from('caf\xe9', 'latin1'));
    expect(() => readText(file)).toThrow('it is not UTF-8');
    writeFileSync(file, Buffer.from('\ufeffrosa: one', 'utf16le'));
    expect(() => readText(file)).toThrow('it is not UTF-8');
  });
});
