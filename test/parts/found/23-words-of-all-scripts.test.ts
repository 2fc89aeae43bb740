// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importPage, reading, startKnowledge } from '../../support/knowledge.js';
import type { PersonFixture, TestServer } from '../../support/server.js';

/** A text, and queries that find it, each with the snippet that it shows. */
const found: readonly (readonly [text: string, ...queries: (readonly [query: string, snippet: string])[]])[] =
  [
    // Scripts without spaces: one letter, a word within, and all of it.
    [
      '法務部門に連絡',
      ['法', '**法**務部門に連絡'],
      ['門', '法務部**門**に連絡'],
      ['法務部門', '**法務部門**に連絡'],
    ],
    ['新しいﾌﾟﾘﾝﾀｰです', ['プリンター', '新しい**ﾌﾟﾘﾝﾀｰ**です'], ['ﾌﾟﾘﾝﾀｰ', '新しい**ﾌﾟﾘﾝﾀｰ**です']],
    ['ร้านกาแฟใหม่เปิดแล้ว', ['กาแฟ', 'ร้าน**กาแฟ**ใหม่เปิดแล้ว'], ['ใหม่', 'ร้านกาแฟ**ใหม่**เปิดแล้ว']],
    ['ຮ້ານກາເຟໃໝ່', ['ກາເຟ', 'ຮ້ານ**ກາເຟ**ໃໝ່']],
    ['ហាងកាហ្វេថ្មី', ['កាហ្វេ', 'ហាង**កាហ្វេ**ថ្មី']],
    ['ကော်ဖီဆိုင်အသစ်', ['ဆိုင်', 'ကော်ဖီ**ဆိုင်**အသစ်']],
    [
      '회사는 책을 산다',
      ['회사', '**회사**는 책을 산다'],
      ['책', '회사는 **책**을 산다'],
      ['회사는', '**회사는** 책을 산다'],
    ],
    // Marks that may be left out, and letters that are written in several ways.
    ['كِتَابٌ جَدِيدٌ', ['كتاب', '**كِتَابٌ** جَدِيدٌ'], ['جديد', 'كِتَابٌ **جَدِيدٌ**']],
    ['أحمد في مستشفى', ['احمد', '**أحمد** في مستشفى'], ['مستشفي', 'أحمد في **مستشفى**']],
    ['שָׁלוֹם לכולם', ['שלום', '**שָׁלוֹם** לכולם']],
    ['חייל צה״ל', ['צה"ל', 'חייל **צה״ל**'], ['צהל', 'חייל **צה״ל**']],
    // What nobody sees.
    ['The re\u00adfund\u00adable deposit', ['refundable', 'The **re\u00adfund\u00adable** deposit']],
    [
      'An in\u200bvoice and a zero\u200dwidth joiner',
      ['invoice', 'An **in\u200bvoice** and a zero\u200dwidth joiner'],
      ['zerowidth', 'An in\u200bvoice and a **zero\u200dwidth** joiner'],
    ],
    // Joined, parted, and with apostrophes of all kinds.
    ['Our email policy', ['e-mail', 'Our **email** policy'], ['email', 'Our **email** policy']],
    [
      'By e-mail only',
      ['email', 'By **e-mail** only'],
      ['e-mail', 'By **e-mail** only'],
      ['mail', 'By e-**mail** only'],
      ['e‑mail', 'By **e-mail** only'],
    ],
    ['The wifi password', ['wi-fi', 'The **wifi** password']],
    [
      'The Wi‑Fi passphrase',
      ['wifi', 'The **Wi‑Fi** passphrase'],
      ['wi-fi passphrase', 'The **Wi‑Fi** **passphrase**'],
    ],
    [
      "Ask O'Brien",
      ['OBrien', "Ask **O'Brien**"],
      ['O’Brien', "Ask **O'Brien**"],
      ['brien', "Ask O'**Brien**"],
    ],
    ['Ask Mr OʼNeill', ["o'neill", 'Ask Mr **OʼNeill**'], ['oneill', 'Ask Mr **OʼNeill**']],
    // Case, width, digits and spellings.
    ['ＡＢＣ－１２３', ['abc', '**ＡＢＣ**－１２３'], ['123', 'ＡＢＣ－**１２３**']],
    [
      'İstanbul ve IĞDIR',
      ['istanbul', '**İstanbul** ve IĞDIR'],
      ['ığdır', 'İstanbul ve **IĞDIR**'],
      ['ISTANBUL', '**İstanbul** ve IĞDIR'],
    ],
    [
      'Die Straße von Müller',
      ['strasse', 'Die **Straße** von Müller'],
      ['STRASSE', 'Die **Straße** von Müller'],
      ['Mueller', 'Die Straße von **Müller**'],
      ['muller', 'Die Straße von **Müller**'],
    ],
    ['Der Schlüssel der Frau Moeller', ['Möller', 'Der Schlüssel der Frau **Moeller**']],
    ['Ο ΔΡΟΜΟΣ', ['δρομος', 'Ο **ΔΡΟΜΟΣ**'], ['δρομοσ', 'Ο **ΔΡΟΜΟΣ**']],
    ['سنة ٢٠٢٤ ปี ๒๕๖๗', ['2024', 'سنة **٢٠٢٤** ปี ๒๕๖๗'], ['2567', 'سنة ٢٠٢٤ ปี **๒๕๖๗**']],
    ['नमस्ते दुनिया', ['नमस्ते', '**नमस्ते** दुनिया']],
  ];

/** What is not the same, although it looks or begins alike. */
const apart: readonly (readonly [text: string, query: string])[] = [
  ['法務部門に連絡', '務法'],
  ['नमस्ते दुनिया', 'नमसत'],
  ['The wifi password', 'fi'],
  ['회사는 책을 산다', '사회'],
];

let server: TestServer;
let reader: PersonFixture;

beforeAll(async () => {
  server = await startKnowledge();
  reader = await server.person({ scopes: reading });
  for (const [index, [text]] of found.entries()) {
    const page = { path: `${String(index)}.md`, collection: 'texts', classification: 'public' as const };
    await importPage(server, { ...page, title: `Nr ${String(index)}`, body: text });
  }
});
afterAll(() => server.stop());

async function snippets(query: string): Promise<Map<string, string>> {
  const { data, errors } = await server.query(
    reader.token,
    'query ($query: String!) { search(query: $query, first: 100) { nodes { snippet passage { text } } } }',
    { query },
  );
  expect(errors).toEqual([]);
  const nodes = data.search.nodes as { snippet: string; passage: { text: string } }[];
  return new Map(nodes.map(({ snippet, passage }) => [passage.text, snippet]));
}

describe('23 words of every script are found as people write them, alike on both databases', () => {
  test.each(found.flatMap(([text, ...queries]) => queries.map(([query, snippet]) => [query, text, snippet])))(
    '“%s” finds “%s”',
    async (query, text, snippet) => {
      expect((await snippets(query)).get(text)).toBe(snippet);
    },
  );

  test.each(apart)('in “%s” is no “%s”', async (text, query) => {
    expect((await snippets(query)).get(text)).toBeUndefined();
  });
});
