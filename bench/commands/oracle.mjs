import { tableNames } from '../database/table-names.mjs';
import { median } from '../measure/stats.mjs';
import { columns, digits } from '../report/text.mjs';
import { openStore } from '../servers/store.mjs';
import { Stage } from '../stage.mjs';
import { oracleWords, smallWorld, tokenOf } from '../world/world.mjs';

/** So many passages that no caller may see have the first of the two words, and none the second. */
const world = { ...smallWorld, auditRecords: 0, hidden: 10_500 };
const warmUp = 50;
const pairs = 300;
/** A word that takes so many times as long tells of what is hidden. */
const most = 1.2;

/**
 * What as many visible passages hold is asked for by two words in turn, of which hidden passages have one: this server
 * should take the same time for both. The control is a statement that asks an undivided index and puts the boundary
 * behind it; where its times do not differ, this measurement would not notice anything.
 */
export async function oracle(options) {
  const { databases, progress } = options;
  const stage = new Stage(options);
  const passages = (await tableNames(options.dist))('passages');
  const rows = [];
  try {
    for (const database of databases) {
      const url = await stage.database(database, world);
      const { server } = await stage.contender('behalf', database, url, world);
      progress(`${database}: behalf`);
      rows.push({ database, asked: 'behalf', ...(await compare(searchOver(server.port))) });
      await server.stop();
      progress(`${database}: control`);
      rows.push({ database, asked: 'control', ...(await compare(control(openStore(url), passages))) });
    }
    const failed = rows.some(({ asked, tells }) => tells !== (asked === 'control'));
    return { rows, hidden: world.hidden, most, failed };
  } finally {
    await stage.close();
  }
}

/** The medians of both words, asked for in turn. */
async function compare(ask) {
  const times = { shared: [], twin: [] };
  for (let n = -warmUp; n < pairs; n += 1) {
    // Who comes first alternates too.
    for (const word of n % 2 === 0 ? ['shared', 'twin'] : ['twin', 'shared']) {
      const begin = performance.now();
      await ask(oracleWords[word]);
      if (n >= 0) times[word].push(performance.now() - begin);
    }
  }
  const [sharedMs, twinMs] = [median(times.shared), median(times.twin)];
  return { sharedMs, twinMs, ratio: Number((sharedMs / twinMs).toFixed(3)), tells: sharedMs / twinMs > most };
}

function searchOver(port) {
  const query = 'query ($query: String!) { search(query: $query) { nodes { score passage { id } } } }';
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokenOf('full', 0)}` };
  return async (word) => {
    const body = JSON.stringify({ query, variables: { query: word } });
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body });
    const answer = await response.json();
    if (!(answer.data?.search?.nodes.length > 0)) throw new Error(`No answer: ${JSON.stringify(answer)}`);
  };
}

const bounded = "t.classification IN ('public', 'internal', 'confidential')";
const undivided = (passages) => ({
  sqlite: `SELECT c.id, t.body FROM (SELECT t.id FROM ${passages} t WHERE t.row_no IN (SELECT rowid FROM bench_fts WHERE bench_fts MATCH ?) AND ${bounded} ORDER BY t.id LIMIT 300) c CROSS JOIN ${passages} t ON t.id = c.id`,
  mysql: `SELECT c.id, t.body FROM (SELECT t.id FROM ${passages} t WHERE MATCH (t.tokens) AGAINST (? IN BOOLEAN MODE) AND ${bounded} ORDER BY t.id LIMIT 300) c CROSS JOIN ${passages} t ON t.id = c.id`,
});

/** The same words in an index that knows no boundary. */
function control({ dialect, all }, passages) {
  const sql = undivided(passages)[dialect];
  return async (word) => {
    const rows = await all(sql, [`zw${word}`]);
    if (rows.length === 0) throw new Error(`The control finds nothing for ${word}.`);
  };
}

const lines = ({ rows }) => [
  ['', 'hidden have it, ms', 'none has it, ms', 'ratio', ''],
  ...rows.map(({ database, asked, sharedMs, twinMs, ratio, tells }) => [
    `${database} ${asked}`,
    digits(sharedMs),
    digits(twinMs),
    `${digits(ratio)}×`,
    tells ? 'tells' : 'does not tell',
  ]),
];

oracle.toText = (result) =>
  `How long a search takes for two words that the same visible passages have, where ${result.hidden.toLocaleString('en')} hidden ` +
  `passages have one of them (medians of ${pairs})\n${columns(lines(result))}\n\n` +
  (result.failed
    ? 'FAILED: this server tells, or the control does not.'
    : `Only the control tells: a word counts as told from ${most}× on.`);
