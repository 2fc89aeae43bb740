import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { shippedRoles } from '../admin/shipped-roles.js';
import { settings } from '../config.js';
import { errorMeanings } from '../core/errors.js';
import { Metrics } from '../core/metrics.js';
import { version } from '../core/version.js';
import { readSchemaPolicy } from '../graphql/schema/schema-policy.js';
import { executableSchema } from '../graphql/schema/executable-schema.js';
import { printSchemaText } from '../graphql/schema/print-schema.js';
import { readSdl, schemaFolder } from '../graphql/schema/sdl.js';
import { makeProgram } from './program.js';

const docs = join(dirname(schemaFolder()), 'docs');
const made = '<!-- Made by `npm run generate` from the code. Do not edit. -->\n\n';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

function settingsPage(): string {
  const rows = Object.entries(settings).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined);
    const value = fallback.success && fallback.data !== undefined ? `\`${String(fallback.data)}\`` : '';
    return [`\`${name}\``, value, schema.description ?? ''];
  });
  const intro =
    'Settings come from the environment. All are checked before anything starts, and everything that is wrong is told at once.';
  return `# Settings\n\n${made}${intro}\n\n${table(['setting', 'default', 'what it is for'], rows)}\n`;
}

function errorsPage(): string {
  const rows = Object.entries(errorMeanings).map(([code, meaning]) => [`\`${code}\``, meaning]);
  const intro =
    'Every error carries `extensions.code`, one of these, and `extensions.operationId`, which finds the audit record.';
  return `# Error codes\n\n${made}${intro}\n\n${table(['code', 'meaning'], rows)}\n`;
}

function metricsPage(): string {
  const metrics = new Metrics(version()).registry.getMetricsAsArray();
  const rows = metrics
    .filter(({ name }) => name.startsWith('behalf_'))
    .map((metric) => {
      const { labelNames = [] } = metric as { labelNames?: readonly string[] };
      const labels = labelNames.map((label) => `\`${label}\``).join(', ');
      return [`\`${metric.name}\``, String(metric.type), labels, metric.help];
    });
  const intro =
    'What `/metrics` tells, in the format of Prometheus. Beside these there are the usual ones of a Node process (`process_…`, `nodejs_…`). Labels come from closed sets, never from a request. How to reach it, and which alerts are worth having: [operations](operations.md).';
  return `# Metrics\n\n${made}${intro}\n\n${table(['metric', 'type', 'labels', 'what it tells'], rows)}\n`;
}

function rolesPage(): string {
  const policy = readSchemaPolicy(executableSchema(readSdl(), []));
  const scopes = [...policy.definitions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const held = (scope: string) =>
    shippedRoles.map((role) => (scope === 'session:read' || role.scopes.includes(scope) ? 'yes' : ''));
  const matrix = table(
    ['scope', ...shippedRoles.map((role) => role.name)],
    scopes.map((scope) => [`\`${scope.name}\``, ...held(scope.name)]),
  );
  const roles = table(
    ['role', 'held by', 'business task', 'boundary', 'limits'],
    shippedRoles.map((role) => [
      `\`${role.name}\``,
      role.holder,
      role.businessTask,
      Object.entries(role.boundary)
        .map(
          ([dimension, values]) => `${dimension}: ${values === 'all' ? 'all' : values.join(', ') || 'none'}`,
        )
        .join('; '),
      Object.entries(role.limits)
        .map(([limit, value]) => `${limit}: ${String(value)}`)
        .join('; '),
    ]),
  );
  const meanings = table(
    ['scope', 'what it allows', 'people only'],
    scopes.map((scope) => [`\`${scope.name}\``, scope.description, scope.peopleOnly ? 'yes' : '']),
  );
  return `# Roles and scopes\n\n${made}## Roles that ship\n\n${roles}\n\n## Role × scope\n\n${matrix}\n\n## Scopes\n\n${meanings}\n`;
}

function commandsPage(): string {
  const help = (command: Command, names: readonly string[]): string[] => {
    const path = [...names, command.name()];
    command.configureOutput({ getOutHelpWidth: () => 100, getOutHasColors: () => false });
    const text = captured(command).trimEnd();
    const children = command.commands.filter((child) => child.name() !== 'help');
    return [
      `## ${path.join(' ')}\n\n\`\`\`text\n${text}\n\`\`\``,
      ...children.flatMap((child) => help(child, path)),
    ];
  };
  return `# Commands\n\n${made}${help(makeProgram(), []).join('\n\n')}\n`;
}

/** A command's help, with the examples below it. */
function captured(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (text) => parts.push(text) });
  command.outputHelp();
  return parts.join('');
}

const schemaPage = (): string =>
  `# The public schema, with the scope of every coordinate.\n# Made by \`npm run generate\`. Do not edit.\n\n${printSchemaText(readSdl())}`;

/** Every generated reference: file name to text. */
const pages: Readonly<Record<string, () => string>> = {
  'settings.md': settingsPage,
  'errors.md': errorsPage,
  'metrics.md': metricsPage,
  'roles.md': rolesPage,
  'cli.md': commandsPage,
  'schema.graphql': schemaPage,
};

function main(check: boolean): number {
  let stale = 0;
  for (const [name, page] of Object.entries(pages)) {
    const path = join(docs, name);
    const text = page();
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
    stale += 1;
    if (check) console.error(`docs/${name} is stale: run \`npm run generate\``);
    else writeFileSync(path, text);
  }
  return check && stale > 0 ? 1 : 0;
}

process.exitCode = main(process.argv.includes('--check'));
