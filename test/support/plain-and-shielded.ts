import { Agent, request as httpRequest } from 'node:http';
import type { AuditBody } from '../../src/audit/record.js';
import { isIn } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import type { RandomRequest } from './random-documents.js';
import type { World } from './worlds.js';

/**
 * Closes an idle connection well before the server would; the server might close it just as the next request is sent.
 */
const wire = new Agent({ keepAlive: true, maxSockets: 32, timeout: 20_000 });

/** One answer, with its operation's id taken out of the text. */
interface Told {
  readonly operationId: string;
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

/** As `fetch`, in a third of its time. */
function ask(url: string, token: string, body: string): Promise<Told> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'content-length': Buffer.byteLength(body),
    };
    const sent = httpRequest(`${url}/graphql`, { method: 'POST', agent: wire, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const operationId = String(response.headers['behalf-operation-id']);
        const text = Buffer.concat(chunks).toString('utf8').replaceAll(operationId, 'the operation');
        resolve({ operationId, status: response.statusCode, type: response.headers['content-type'], text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/**
 * One request by one caller, with the answer of a server where every rule stands before its field, and the answer of
 * the server as it ships.
 */
interface Case {
  readonly world: World;
  readonly body: string;
  readonly shielded: Told;
  readonly shipping: readonly Told[];
}

/**
 * Each caller sends the document in turn. The first caller's requests take the ordinary path twice, then the fast path,
 * compiled; the others find the document cached, or their own part of it.
 */
export async function askAll(
  world: World,
  tokens: readonly string[],
  { query, operationName, variables }: RandomRequest,
  begin: number,
): Promise<Case[]> {
  const cases: Case[] = [];
  for (let turn = 0; turn < tokens.length; turn += 1) {
    const token = tokens[(begin + turn) % tokens.length] ?? '';
    const body = JSON.stringify({ query, operationName, variables: variables[turn % variables.length] });
    const shielded = await ask(world.shielded.url, token, body);
    const shipping: Told[] = [];
    const times = turn === 0 ? 4 : 1 + (turn % 2);
    while (shipping.length < times) shipping.push(await ask(world.shipping.url, token, body));
    cases.push({ world, body, shielded, shipping });
  }
  return cases;
}

/** Two answers that should be equal and are not. */
export interface Difference {
  readonly world: string;
  readonly body: unknown;
  /** The number of the request among the equal ones, from 1. */
  readonly time: number;
  readonly shielded: unknown;
  readonly shipping: unknown;
}

/** How many cases had each kind of result, to see that the cases are worth something. */
export type Tally = Record<'errors' | 'refused' | 'rows' | 'below' | 'dear', number>;

/** The differences between the cases' answers; where there are none, between their records. */
export async function differencesIn(cases: readonly Case[], tally: Tally): Promise<Difference[]> {
  const records = new Map<string, AuditBody>();
  for (const world of new Set(cases.map((one) => one.world))) {
    const mine = cases.filter((one) => one.world === world);
    const ids = mine.flatMap((one) => [one.shielded, ...one.shipping].map((told) => told.operationId));
    const rows = await world.shipping.database.read.select(auditRecords, isIn('id', ids));
    for (const row of rows) records.set(row.id, JSON.parse(row.body) as AuditBody);
  }
  return cases.flatMap((one) => {
    const wanted = parse(one.shielded);
    const record = records.get(one.shielded.operationId);
    count(tally, wanted, record);
    return one.shipping.flatMap((told, at): Difference[] => {
      const common = { world: one.world.name, body: JSON.parse(one.body) as unknown, time: at + 1 };
      const [answer, other] = [comparable(told), comparable(one.shielded)];
      if (answer !== other) return [{ ...common, shielded: other, shipping: answer }];
      const isBroken = brokenOff(wanted).length > 0;
      const [mine, theirs] = [recorded(records.get(told.operationId), isBroken), recorded(record, isBroken)];
      return mine === theirs ? [] : [{ ...common, shielded: theirs, shipping: mine }];
    });
  });
}

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly TellingError[];
}
interface TellingError {
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string };
}
const parse = ({ text }: Told): Answer => JSON.parse(text) as Answer;

function count(tally: Tally, { errors = [] }: Answer, record: AuditBody | undefined): void {
  const codes = new Set(errors.map((error) => error.extensions.code));
  if (errors.length > 0) tally.errors += 1;
  if (codes.has('FORBIDDEN')) tally.refused += 1;
  if (codes.has('QUERY_TOO_COMPLEX')) tally.dear += 1;
  if ((record?.rowCount ?? 0) > 0) tally.rows += 1;
  if (errors.some((error) => (error.path?.length ?? 0) > 2)) tally.below += 1;
}

/**
 * Errors whose path is gone, because one of them made a non-null field null and its parents with it. graphql-js then
 * answers without waiting for the sibling fields. Which of their errors and rows it has seen by then is chance, within
 * one way of running as much as between two.
 */
const brokenOff = ({ data, errors = [] }: Answer): TellingError[] =>
  errors.filter(({ path = [] }) => {
    let at = data;
    return path.some((step, index) => {
      at = (at as Record<string | number, unknown> | null | undefined)?.[step];
      return at === null && index < path.length - 1;
    });
  });

/** Byte for byte; of an answer that broke off, only that it did. */
function comparable(told: Told): string {
  const { operationId: _, text, ...rest } = told;
  const answer = parse(told);
  const broken = new Set(brokenOff(answer));
  if (broken.size === 0) return JSON.stringify({ ...rest, text });
  const errors = answer.errors?.filter((error) => !broken.has(error));
  return JSON.stringify({ ...rest, data: answer.data, errors, isBroken: true });
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/**
 * A record without the parts that differ each time. Rows and refusals are compared as sets: one way of running notes
 * them breadth first, the other in the order of the answer, and the digest follows that order.
 */
function recorded(record: AuditBody | undefined, isBroken: boolean): string {
  if (record === undefined) return 'no record';
  const { operationId: _, at: __, durationMs: ___, ...body } = record;
  if (isBroken) return JSON.stringify({ ...body, resources: [], rowCount: 0, decisions: [], errors: [] });
  const resources = body.resources.map(({ digest: ____, ids, ...one }) => ({
    ...one,
    ids: one.count > ids.length ? [] : [...ids].sort(),
  }));
  return JSON.stringify({
    ...body,
    resources: resources.sort(byText),
    decisions: [...body.decisions].sort(byText),
  });
}
