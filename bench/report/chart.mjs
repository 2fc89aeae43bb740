import { enforcing } from '../servers/peers.mjs';
import { digits } from './text.mjs';

const shown = ['point', 'ticket', 'list100', 'list1000', 'search', 'mutation', 'mix'];
const panel = { width: 460, labels: 150, bars: 190, line: 19, head: 34, gap: 26 };
/** Longer bars are cut, and say so: one slow server would make the others look alike. */
const longest = 6;
const colours = { behalf: '#1d6fd1', enforcing: '#7d8794', bare: '#c3cad3' };

const kindOf = (server) => (server === 'behalf' ? 'behalf' : enforcing.has(server) ? 'enforcing' : 'bare');
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function bar(row, ours, y) {
  const times = row.cpuUsPerOp / ours;
  const isCut = times > longest;
  const width = Math.max(1, (Math.min(times, longest) / longest) * panel.bars);
  const kind = kindOf(row.server);
  const weight = kind === 'behalf' ? ' font-weight="600"' : '';
  const factor = kind === 'behalf' ? '' : ` · ${digits(times)}×`;
  const cut = isCut
    ? `<path d="M${panel.labels + width - 14} ${y - 1} l6 ${panel.line} h4 l-6 -${panel.line} z" fill="#fff"/>`
    : '';
  return [
    `<text x="${panel.labels - 8}" y="${y + 13}" text-anchor="end"${weight}>${escape(row.server)}</text>`,
    `<rect x="${panel.labels}" y="${y + 2}" width="${width.toFixed(1)}" height="14" rx="2" fill="${colours[kind]}"/>`,
    cut,
    `<text x="${(panel.labels + width + 6).toFixed(1)}" y="${y + 13}" class="n"${weight}>${digits(row.cpuUsPerOp)}${factor}</text>`,
  ].join('');
}

function drawPanel(workload, rows, x, y) {
  const measured = rows.filter((row) => row.workload === workload && row.cpuUsPerOp !== null);
  const ours = measured.find((row) => row.server === 'behalf')?.cpuUsPerOp ?? measured[0].cpuUsPerOp;
  const bars = [...measured]
    .sort((a, b) => a.cpuUsPerOp - b.cpuUsPerOp)
    .map((row, index) => bar(row, ours, panel.head + index * panel.line));
  return `<g transform="translate(${x} ${y})"><text x="${panel.labels}" y="20" class="h">${workload}</text>${bars.join('')}</g>`;
}

const legend = [
  ['behalf', 'Behalf, everything on'],
  ['enforcing', 'peers that check each field'],
  ['bare', 'peers without any check'],
]
  .map(
    ([kind, text], index) =>
      `<rect x="${20 + index * 200}" y="54" width="12" height="12" rx="2" fill="${colours[kind]}"/>` +
      `<text x="${38 + index * 200}" y="64">${text}</text>`,
  )
  .join('');

/** Bars of processor time per operation, a panel for each workload, as an SVG document. */
export function chart(allRows, database) {
  const rows = allRows.filter((row) => row.database === database);
  const workloads = shown.filter((name) => rows.some((row) => row.workload === name));
  const servers = new Set(rows.map((row) => row.server)).size;
  const height = panel.head + servers * panel.line + panel.gap;
  const panels = workloads.map((workload, index) =>
    drawPanel(workload, rows, 20 + (index % 2) * panel.width, 84 + Math.floor(index / 2) * height),
  );
  const size = { width: 2 * panel.width + 20, height: 84 + Math.ceil(workloads.length / 2) * height };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-label="Processor time per operation of each server, over ${database}">
<style>text{font:12px system-ui,sans-serif;fill:#20262e}.h{font-size:14px;font-weight:600}.t{font-size:16px;font-weight:600}.n{fill:#59636e}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="20" y="30" class="t">Processor time per operation, µs, over ${database} (less is better; × is how many times Behalf's)</text>
${legend}
${panels.join('\n')}
</svg>
`;
}
