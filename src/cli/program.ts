import { Command } from 'commander';
import { version } from '../core/version.js';
import { adoptCommand } from './commands/adopt.js';
import { agentCommand } from './commands/agent.js';
import { applyCommand } from './commands/apply.js';
import { auditCommand } from './commands/audit.js';
import { checkCommand } from './commands/check.js';
import { clientCommand } from './commands/client.js';
import { consentCommand } from './commands/consent.js';
import { delegationCommand } from './commands/delegation.js';
import { documentsCommand } from './commands/documents.js';
import { explainCommand } from './commands/explain.js';
import { grantsCommand } from './commands/grants.js';
import { importCommand } from './commands/import.js';
import { issuerCommand } from './commands/issuer.js';
import { keysCommand } from './commands/keys.js';
import { loginCommand } from './commands/login.js';
import { mcpCommand } from './commands/mcp.js';
import { migrateCommand } from './commands/migrate.js';
import { providerCommand } from './commands/provider.js';
import { resourceCommand } from './commands/resource.js';
import { schemaCommand } from './commands/schema.js';
import { seedCommand } from './commands/seed.js';
import { startCommand } from './commands/start.js';
import { tokenCommand } from './commands/token.js';
import { userCommand } from './commands/user.js';
import { errorOutput } from './terminal/output.js';

/** The `behalf` command. A new command is a file in `commands/`, which loads its code when it runs, and one line here. */
export function makeProgram(): Command {
  const program = new Command('behalf')
    .configureOutput(errorOutput)
    .description('Agents act on behalf of people: one task, narrow rights, one durable record.')
    .version(version(), '-V, --version')
    .showHelpAfterError('Run `behalf --help` for the commands.')
    .addHelpText(
      'after',
      '\nExamples:\n  $ behalf migrate\n  $ behalf user create admin --admin\n  $ behalf start\n\nSettings come from the environment: see docs/settings.md.',
    );
  const commands = [
    startCommand(),
    migrateCommand(),
    adoptCommand(),
    checkCommand(),
    applyCommand(),
    grantsCommand(),
    seedCommand(),
    importCommand(),
    loginCommand(),
    tokenCommand(),
    userCommand(),
    agentCommand(),
    clientCommand(),
    providerCommand(),
    issuerCommand(),
    resourceCommand(),
    keysCommand(),
    delegationCommand(),
    consentCommand(),
    documentsCommand(),
    schemaCommand(),
    mcpCommand(),
    auditCommand(),
    explainCommand(),
  ];
  for (const each of commands) program.addCommand(each);
  return program;
}
