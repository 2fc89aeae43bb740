const reads = ['point', 'ticket', 'list100', 'list1000', 'search'];
const parts = ['field', 'list', 'root', 'mutation'];

/** Processor time of Behalf on a workload, at most so many times that of another server. */
const within = (workload, server, most) => ({
  text: `${workload}: processor time at most ${most} × ${server}`,
  workload,
  measured: (row) => ratio(row('behalf', workload)?.cpuUsPerOp, row(server, workload)?.cpuUsPerOp),
  most,
});

/** Rows that were not measured, and figures that mean nothing for a server, give undefined. */
const both = (a, b, of) => (typeof a === 'number' && typeof b === 'number' ? of(a, b) : undefined);
const ratio = (a, b) => both(a, b, (ours, theirs) => ours / theirs);

const refused = (suffix) => ({
  text: `refused${suffix}: processor time at most 2 × the allowed operation`,
  workload: `refused${suffix}`,
  measured: (row) =>
    ratio(row('behalf', `refused${suffix}`)?.cpuUsPerOp, row('behalf', `allowed${suffix}`)?.cpuUsPerOp),
  most: 2,
});

const tail = (workload) => ({
  text: `${workload}: p99 at 32 connections no worse than apollo-express`,
  workload,
  measured: (row) => ratio(row('behalf', workload)?.p99Ms, row('apollo-express', workload)?.p99Ms),
  most: 1,
});

const alone = (workload) => ({
  text: `${workload}: p99 at one connection at most 1 ms more than apollo-express`,
  workload,
  measured: (row) =>
    both(
      row('behalf', workload)?.p99AloneMs,
      row('apollo-express', workload)?.p99AloneMs,
      (ours, theirs) => ours - theirs,
    ),
  most: 1,
});

const goals = [
  within('point', 'apollo-express', 0.5),
  within('list100', 'apollo-express', 0.333),
  within('list1000', 'apollo-express', 0.333),
  within('list1000', 'apollo-shield', 0.05),
  ...reads.map((workload) => within(workload, 'mercurius', 1.3)),
  refused(''),
  ...parts.map((part) => refused(`-${part}`)),
  ...reads.map(tail),
  ...reads.map(alone),
];

/** What Behalf wants to reach, and whether these rows show it: one entry for each database and measured goal. */
export function goalsOf(rows) {
  const databases = [...new Set(rows.map((row) => row.database))];
  return databases.flatMap((database) => {
    const row = (server, workload) =>
      rows.find((one) => one.database === database && one.server === server && one.workload === workload);
    return goals.flatMap(({ text, measured, most }) => {
      const value = measured(row);
      if (value === undefined) return [];
      return [{ database, goal: text, measured: Number(value.toFixed(3)), most, met: value <= most }];
    });
  });
}
