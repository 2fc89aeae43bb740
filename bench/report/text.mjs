const unique = (rows, key) => [...new Set(rows.map((row) => row[key]))];

/** Cells in columns: the first one to the left, the others to the right. */
export function columns(lines) {
  const widths = lines[0].map((_, index) => Math.max(...lines.map((line) => line[index].length)));
  return lines
    .map((line) =>
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join('  '),
    )
    .join('\n');
}

/** Three digits that count. */
export function digits(value) {
  if (value === null || value === undefined) return '–';
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Servers down, workloads across; where `ratio` is set, how many times Behalf's figure each one is. */
export function grid(rows, key, withRatio) {
  const workloads = unique(rows, 'workload');
  const cell = (server, workload) => {
    const of = (name) => rows.find((row) => row.server === name && row.workload === workload)?.[key] ?? null;
    const [value, ours] = [of(server), of('behalf')];
    if (value === null) return '–';
    return withRatio && ours !== null && server !== 'behalf'
      ? `${digits(value)} (${digits(value / ours)}×)`
      : digits(value);
  };
  return [
    ['', ...workloads],
    ...unique(rows, 'server').map((server) => [
      server,
      ...workloads.map((workload) => cell(server, workload)),
    ]),
  ];
}

export const figures = [
  { key: 'cpuUsPerOp', title: 'Processor time per operation, µs', ratio: true },
  { key: 'opsPerSecond', title: 'Operations per second, 32 connections', ratio: false },
  { key: 'p99Ms', title: 'p99 at 32 connections, ms', ratio: false },
  { key: 'p99AloneMs', title: 'p99 at one connection, ms', ratio: false },
];

const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** How far a figure of this run may be trusted. */
export function noiseText({ rows, calibration, how }) {
  const spreads = rows
    .flatMap((row) => (row.cpuSpread === null ? [] : [row.cpuSpread]))
    .sort((a, b) => a - b);
  const at = (share) => spreads[Math.floor((spreads.length - 1) * share)] ?? 0;
  const rounds =
    how.rounds < 2
      ? 'one round alone does not tell how far it may be trusted'
      : `processor time differs between rounds by ${percent(at(0.5))} (median over all figures; ` +
        `nine of ten below ${percent(at(0.9))})`;
  return (
    `Noise: ${rounds}; a fixed piece of work, ${calibration.runs} times in between, by ` +
    `${percent(calibration.cpuSpread)}; something else had its core for ${percent(calibration.waiting)} of the time.`
  );
}

/** A comparison for people. */
export function compareText(result) {
  const blocks = unique(result.rows, 'database').flatMap((database) => {
    const rows = result.rows.filter((row) => row.database === database);
    return figures.map(
      ({ key, title, ratio }) => `${database}: ${title}\n${columns(grid(rows, key, ratio))}`,
    );
  });
  const goals = result.goals.map(({ database, goal, measured, met }) => [
    `${met ? 'met    ' : 'NOT MET'}  ${database}  ${goal}`,
    String(measured),
  ]);
  if (goals.length > 0) blocks.push(`Goals\n${columns(goals)}`);
  return [...blocks, noiseText(result)].join('\n\n');
}
