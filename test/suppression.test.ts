import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cellsToShow as steps,
  type Cell,
  type Line,
  type Stage,
} from '../src/domains/business/suppression.js';

/** All steps at once. */
function cellsToShow<C extends Cell>(stages: readonly Stage<C>[], k: number): Set<C> {
  const work = steps(stages, k);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

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
  readonly lines: Line<Named>[];
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
  const sold = (span: { months: number[] }, group?: string) =>
    atoms.filter((atom) => span.months.includes(atom.month) && (group ?? atom.group) === atom.group);
  const cells = [undefined, 'a', 'b', 'c'].flatMap((group) =>
    spans.map((span): Named & { wholes: string[] } => {
      const mine = sold(span, group);
      return {
        name: `${span.name} ${group ?? 'all'}`,
        atoms: [...new Set(mine.map((atom) => `${atom.month}${atom.group}`))],
        customers: new Set(mine.flatMap((atom) => atom.customers)).size,
        wholes: [`${span.whole} ${group ?? 'all'}`, ...(group === undefined ? [] : [`${span.name} all`])],
      };
    }),
  );
  const there = cells.filter((cell) => cell.customers > 0);
  const kinds = [0, 1].flatMap((kind) =>
    there.map((whole) => ({ whole, parts: there.filter((part) => part.wholes[kind] === whole.name) })),
  );
  return { cells: there, lines: kinds.filter((line) => line.parts.length > 0) };
}

const isTotal = (cell: Named): boolean => cell.name.endsWith(' all');

/** All groups together first, then each. */
const stagesOf = ({ cells, lines }: Tables): Stage<Named>[] =>
  [true, false].map((totals) => ({
    cells: cells.filter((cell) => isTotal(cell) === totals),
    lines: lines.filter((line) => line.parts.every((part) => isTotal(part) === totals)),
  }));

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
    .map(({ parts }) => ({ parts, small: parts.filter((cell) => cell.customers < k) }))
    .filter(({ parts, small }) => small.length > 1 && small.length < parts.length)
    .map(({ small }) => small.flatMap((cell) => cell.atoms)),
];

describe('suppression', () => {
  test('shows no cell of too few customers, and no suppressed cell follows from what is shown', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const tables = tablesOf(atoms);
        const stages = stagesOf(tables);
        const totals = cellsToShow(stages.slice(0, 1), k);
        const shown = cellsToShow(stages, k);
        const known = [...shown].map((cell) => cell.atoms);
        for (const cell of shown) expect(cell.customers).toBeGreaterThanOrEqual(k);
        for (const cell of tables.cells.filter((one) => !shown.has(one))) {
          if (cell.customers < k || !isTotal(cell)) expect(follows(cell.atoms, known), cell.name).toBe(false);
          // A total of enough customers may follow from the groups, which tells no secret, but not from totals.
          else
            expect(
              follows(
                cell.atoms,
                [...totals].map((total) => total.atoms),
              ),
              cell.name,
            ).toBe(false);
        }
      }),
    );
  });

  test('the small cells of a line together do not follow either', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const tables = tablesOf(atoms);
        const stages = stagesOf(tables);
        const atomsOf = (shown: Set<Named>): (readonly string[])[] => [...shown].map((cell) => cell.atoms);
        const totals = atomsOf(cellsToShow(stages.slice(0, 1), k));
        const known = atomsOf(cellsToShow(stages, k));
        // What totals tell has enough customers, each of them: it is no secret.
        for (const secret of secretsOf(tables, k).filter((one) => !follows(one, totals))) {
          expect(follows(secret, known)).toBe(false);
        }
      }),
    );
  });

  test('withholds a cell of enough customers only where it would tell a secret or its whole is withheld', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const tables = tablesOf(atoms);
        const shown = cellsToShow(stagesOf(tables), k);
        const known = [...shown].map((cell) => cell.atoms);
        const wholesShown = (cell: Named): boolean =>
          tables.lines.every((line) => !line.parts.includes(cell) || shown.has(line.whole));
        const withheld = tables.cells.filter((cell) => cell.customers >= k && !shown.has(cell));
        for (const cell of withheld.filter(wholesShown)) {
          expect(secretsOf(tables, k).some((secret) => follows(secret, [...known, cell.atoms]))).toBe(true);
        }
      }),
    );
  });

  test('what is left of a cell without its parts shown has enough customers, or there is nothing left', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const { cells, lines } = tablesOf(atoms);
        const shown = cellsToShow(stagesOf({ cells, lines }), k);
        for (const { whole, parts } of lines.filter((line) => shown.has(line.whole))) {
          const told = new Set(parts.filter((part) => shown.has(part)).flatMap((part) => part.atoms));
          const left = atoms.filter((atom) => {
            const key = `${atom.month}${atom.group}`;
            return whole.atoms.includes(key) && !told.has(key);
          });
          const customers = new Set(left.flatMap((atom) => atom.customers)).size;
          expect(customers === 0 || customers >= k).toBe(true);
        }
      }),
    );
  });

  test('groups do not change which totals are shown', () => {
    fc.assert(
      fc.property(company, smallest, (atoms, k) => {
        const stages = stagesOf(tablesOf(atoms));
        const shown = [...cellsToShow(stages, k)].filter(isTotal);
        expect(shown).toEqual([...cellsToShow(stages.slice(0, 1), k)]);
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
    const found = cellsToShow([{ cells: [total, ...cells], lines: [{ whole: total, parts: cells }] }], 5);
    expect([...found].map((cell) => cell.name)).toEqual(shown);
  });
});
