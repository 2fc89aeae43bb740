import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellsToShow, type Cell } from '../src/domains/business/suppression.js';

interface Named extends Cell {
  readonly name: string;
}

/** Six months in two halves, by up to three groups: each atom has its own set of customers. */
const company = fc.array(
  fc.record({
    month: fc.nat(5),
    group: fc.constantFrom('a', 'b', 'c'),
    customers: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 7 }),
  }),
  { maxLength: 18 },
);
const smallest = fc.integer({ min: 2, max: 6 });

interface Tables {
  readonly cells: Named[];
  readonly lines: Named[][];
}

function tablesOf(atoms: readonly { month: number; group: string; customers: readonly number[] }[]): Tables {
  const spans = [
    { name: 'year', whole: 'all', months: [0, 1, 2, 3, 4, 5] },
    ...[0, 1].map((half) => ({
      name: `h${half}`,
      whole: 'year',
      months: [0, 1, 2].map((at) => at + 3 * half),
    })),
    ...[0, 1, 2, 3, 4, 5].map((at) => ({ name: `m${at}`, whole: `h${Math.floor(at / 3)}`, months: [at] })),
  ];
  const made = [undefined, 'a', 'b', 'c'].flatMap((group) =>
    spans.flatMap((span) => {
      const mine = atoms.filter(
        (atom) => span.months.includes(atom.month) && (group === undefined || atom.group === group),
      );
      if (mine.length === 0) return [];
      const cell: Named = {
        name: `${span.name} ${group ?? 'all'}`,
        atoms: [...new Set(mine.map((atom) => `${atom.month}${atom.group}`))],
        customers: new Set(mine.flatMap((atom) => atom.customers)).size,
      };
      return [{ cell, overTime: `${span.whole} ${group ?? 'all'}`, overGroups: group && span.name }];
    }),
  );
  const lineKeys = new Set(made.flatMap(({ overTime, overGroups }) => [overTime, overGroups ?? '']));
  return {
    cells: made.map(({ cell }) => cell),
    lines: [...lineKeys]
      .filter((key) => key !== '')
      .map((key) =>
        made.filter((one) => one.overTime === key || one.overGroups === key).map(({ cell }) => cell),
      ),
  };
}

/** Whether a sum follows from others, by exact elimination over the rationals: nothing of it is left. */
function follows(sum: readonly string[], from: readonly (readonly string[])[]): boolean {
  const all = [...new Set([...from.flat(), ...sum])];
  const vector = (atoms: readonly string[]): bigint[] => all.map((atom) => (atoms.includes(atom) ? 1n : 0n));
  const basis: { pivot: number; row: bigint[] }[] = [];
  const reduce = (row: bigint[]): bigint[] =>
    basis.reduce(
      (left, { pivot, row: known }) =>
        left.map((value, at) => value * (known[pivot] ?? 0n) - (left[pivot] ?? 0n) * (known[at] ?? 0n)),
      row,
    );
  for (const atoms of from) {
    const row = reduce(vector(atoms));
    const pivot = row.findIndex((value) => value !== 0n);
    if (pivot !== -1) basis.push({ pivot, row });
  }
  return reduce(vector(sum)).every((value) => value === 0n);
}

const secretsOf = ({ cells, lines }: Tables, k: number): string[][] => [
  ...cells.filter((cell) => cell.customers < k).map((cell) => [...cell.atoms]),
  ...lines
    .map((line) => ({ line, small: line.filter((cell) => cell.customers < k) }))
    .filter(({ line, small }) => small.length > 1 && small.length < line.length)
    .map(({ small }) => small.flatMap((cell) => cell.atoms)),
];

describe('suppression', () => {
  test('shows no cell of too few customers, and no suppressed cell follows from what is shown', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const { cells, lines } = tablesOf(atoms);
        const shown = cellsToShow(cells, lines, k);
        const known = [...shown].map((cell) => cell.atoms);
        for (const cell of shown) expect(cell.customers).toBeGreaterThanOrEqual(k);
        for (const cell of cells.filter((one) => !shown.has(one))) {
          expect(follows(cell.atoms, known), cell.name).toBe(false);
        }
      }),
    );
  });

  test('the small cells of a line together do not follow either', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const tables = tablesOf(atoms);
        const known = [...cellsToShow(tables.cells, tables.lines, k)].map((cell) => cell.atoms);
        for (const secret of secretsOf(tables, k)) expect(follows(secret, known)).toBe(false);
      }),
    );
  });

  test('withholds a cell of enough customers only where it would tell a secret', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const tables = tablesOf(atoms);
        const shown = cellsToShow(tables.cells, tables.lines, k);
        const known = [...shown].map((cell) => cell.atoms);
        for (const cell of tables.cells.filter((one) => one.customers >= k && !shown.has(one))) {
          expect(secretsOf(tables, k).some((secret) => follows(secret, [...known, cell.atoms]))).toBe(true);
        }
      }),
    );
  });

  test.each([
    {
      name: 'everything where every cell has enough customers',
      months: { m0: 9, m1: 5, m2: 7 },
      shown: ['total', 'm0', 'm2', 'm1'],
    },
    {
      name: 'with one small cell, the next smallest goes too',
      months: { m0: 9, m1: 2, m2: 7 },
      shown: ['total', 'm0'],
    },
    {
      name: 'two small cells alone would tell their sum: a third goes with them',
      months: { m0: 9, m1: 2, m2: 1, m3: 8 },
      shown: ['total', 'm0'],
    },
    { name: 'only the total where all cells are small', months: { m0: 4, m1: 4 }, shown: ['total'] },
    { name: 'nothing where the only cell is the total', months: { m0: 4 }, shown: [] },
  ])('$name', ({ months, shown }) => {
    const cells: Named[] = Object.entries(months)
      .map(([name, customers]) => ({ name, atoms: [name], customers }))
      .sort((a, b) => b.customers - a.customers);
    const total: Named = {
      name: 'total',
      atoms: Object.keys(months),
      customers: cells.reduce((sum, cell) => sum + cell.customers, 0),
    };
    const found = cellsToShow([total, ...cells], [cells], 5);
    expect([...found].map((cell) => cell.name)).toEqual(shown);
  });
});
