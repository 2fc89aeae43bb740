// One peer as a process of its own: `node serve.mjs NAME`, with BENCH_DATABASE_URL and BENCH_DIST. Prints its URL.
import { importOf } from '../paths.mjs';
import { startPeer } from './peers.mjs';
import { openStore } from './store.mjs';

const { BENCH_DATABASE_URL: url, BENCH_DIST: dist } = process.env;
const knowledge = (name) => importOf(dist, `src/domains/knowledge/${name}.js`);
// Peers look through the words that this server makes of passages.
const [{ queryTerms }, { encode }] = await Promise.all([knowledge('query-terms'), knowledge('index-tokens')]);
const wordsOf = (query) =>
  queryTerms(query)
    .flat()
    .map((form) => encode(form, 'word'));

const port = await startPeer(process.argv[2], { store: openStore(url), wordsOf });
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
// Its standard input ends with the process that started it.
process.stdin.on('end', () => process.exit(0)).resume();
