import { applyFolder, type ApplyReport } from '../company/apply.js';
import { changeLine } from '../company/changes.js';
import type { PlanLine } from '../company/plan.js';
import { readConfig } from '../config.js';
import { inWorkshop, recordLine } from './operator/in-workshop.js';
import { servedCompany } from './operator/served-company.js';
import { dryRunLine } from './terminal/agreement.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, paint } from './terminal/output.js';

export interface ApplyOptions extends JsonOption {
  readonly as: string;
  readonly dryRun?: boolean;
}

/** `behalf apply` */
export async function apply(folder: string, { as, json, dryRun = false }: ApplyOptions): Promise<void> {
  const config = readConfig({ ...process.env, BEHALF_COMPANY: folder });
  const report = await inWorkshop(json, async (workshop) => {
    const schema = await servedCompany(folder, config, workshop.database, 'Nothing was applied: ');
    return applyFolder(workshop, schema, { folder, as, dryRun });
  });
  answer(json, { command: 'apply', dryRun, ...report }, () => reportLines(report, dryRun));
}

function reportLines({ plan, unchanged, operationId }: ApplyReport, dryRun: boolean): string[] {
  const same = `${String(unchanged)} unchanged`;
  if (plan.length === 0) return [`Nothing to change: everything is as the folder says (${same}).`];
  const count = (sign: PlanLine['sign']): string => String(plan.filter((line) => line.sign === sign).length);
  return [
    ...plan.flatMap(planLines),
    `${count('+')} new, ${count('~')} changed, ${count('-')} gone, ${same}.`,
    dryRun ? dryRunLine : recordLine(operationId),
  ];
}

const colours = { '+': 'green', '~': 'yellow', '-': 'red' } as const;

const planLines = ({ sign, kind, name, changes }: PlanLine): string[] => [
  paint(colours[sign], `${sign} ${kind} ${clean(name)}${sign === '-' ? goneHow[kind] : ''}`),
  ...changes.map((change) => `    ${clean(kind === 'operation' ? 'another text' : changeLine(change))}`),
];

const goneHow = { role: ' (loses its scopes)', operation: ' (is retired)' } as const;
