import { createHash } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The id of the nth row of a kind: 26 characters as the server makes them, in the order of n. */
export function idOf(kind, n) {
  let digits = '';
  for (let rest = n; rest > 0; rest = Math.floor(rest / 32)) digits = alphabet[rest % 32] + digits;
  return `01${kind}${digits.padStart(26 - 2 - kind.length, '0')}`;
}

/** A number from 0 up to `below` that n stands for: scattered, and the same in every process. */
export function scatter(n, below, salt = 0) {
  let x = (n + 1) * 0x9e3779b1 + salt * 0x85ebca6b;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return ((x ^ (x >>> 15)) >>> 0) % below;
}

/**
 * The access token of an agent's delegation: `full` holds every scope that the workloads ask for, `narrow` lacks
 * those that `refused` asks for. A token is for one resource.
 */
export const tokenOf = (rights, agent, resource = '/graphql') =>
  createHash('sha256')
    .update(resource === '/graphql' ? `${rights} ${agent}` : `${rights} ${agent} ${resource}`)
    .digest('base64url');

/** The public URL of the server, whatever port it listens on: its tokens are stored beforehand. */
export const publicUrl = 'http://127.0.0.1:4000';

/** A place in the two years of the story, as it is stored: `2025-03-02 10:00:00.000`. */
export const storedTime = (fraction) =>
  new Date(storyStart + Math.floor(fraction * storyMs)).toISOString().replace('T', ' ').replace('Z', '');
const storyStart = Date.UTC(2024, 0, 1);
const storyMs = 2 * 365 * 86_400_000;

/** How many rows there are of each kind. */
export const usualWorld = {
  customers: 5_000,
  orders: 20_000,
  tickets: 5_000,
  documents: 1_000,
  agents: 200,
  roles: 20,
  auditRecords: 0,
};

/**
 * `flat` compares this with a hundred times as many of everything. So many customers that operations at the same
 * moment seldom ask for the same ones, which one statement then serves: that would be the small world's alone.
 */
export const smallWorld = {
  customers: 3_000,
  orders: 4_000,
  tickets: 1_200,
  documents: 200,
  agents: 100,
  roles: 10,
  auditRecords: 10_000,
};

/** `mcp` asks one server over both. */
export const mcpWorld = { ...usualWorld, resources: ['/graphql', '/mcp'] };

/** `loop` looks for what takes long: statistics over lines of many categories, and lists that no index serves. */
export const loopWorld = {
  customers: 20_000,
  orders: 100_000,
  lines: 300_000,
  products: 600,
  categories: 150,
  tickets: 50_000,
  documents: 3_000,
  agents: 20,
  roles: 4,
  auditRecords: 20_000,
  scopes: ['analytics:sales', 'analytics:tickets', 'documents:write'],
  /** Of people alone, who then see what concerns anybody. */
  personScopes: ['audit:read'],
};

export const timesLarger = (world, factor) =>
  Object.fromEntries(Object.entries(world).map(([kind, count]) => [kind, count * factor]));

export const regions = ['europe', 'north-america', 'asia-pacific', 'latin-america'];
export const classifications = ['public', 'internal', 'confidential'];
export const collectionKeys = ['playbooks', 'guides', 'policies', 'hr', 'finance'];

/** Scopes that the workloads ask for, and those of them that a `narrow` token lacks. */
export const fullScopes = [
  'session:read',
  'collections:read',
  'documents:read',
  'customers:read',
  'customers:read_contact',
  'customers:read_credit',
  'orders:read',
  'refunds:read',
  'tickets:read',
  'tickets:reply',
];
export const refusedScopes = ['customers:read_credit', 'refunds:read', 'tickets:reply'];
/** Roles differ in which of these they hold beside: each role is a ceiling of its own. */
export const furtherScopes = [
  'products:read',
  'products:read_cost',
  'stock:read',
  'stock:adjust',
  'invoices:read',
  'payments:read',
  'tickets:read_internal',
  'tickets:update_status',
  'orders:update_status',
  'documents:read_history',
];

/** Documents come in groups that share a word which no other document has: search asks for two of them. */
export const documentsPerTopic = 4;
const syllables = [
  'ba',
  'ko',
  'mi',
  'ru',
  'te',
  'lo',
  'va',
  'ni',
  'du',
  'sa',
  'fe',
  'go',
  'pi',
  'zu',
  'ha',
  'we',
];
export function topicWord(topic) {
  let word = '';
  for (let rest = topic, place = 0; place < 5; place += 1) {
    word += syllables[rest % 16];
    rest = Math.floor(rest / 16);
  }
  return `${word}x`;
}
/** Two words that the same few visible documents have; hidden ones have the first. */
export const oracleWords = { shared: 'quixotaph', twin: 'zebrathorn' };
export const oracleVisible = 4;

/** An ordinary word of the language of the documents. */
export const commonWord = (n) => syllables[n % 16] + syllables[(n >> 4) % 16] + syllables[(n >> 8) % 16];
