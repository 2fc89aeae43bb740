import { Command } from 'commander';
import { version } from '../core/version.js';
import { agentCommand } from './agent.js';
import { auditCommand } from './audit.js';
import { documentsCommand } from './documents.js';
import { explainCommand } from './explain.js';
import { importCommand } from './import.js';
import { loginCommand } from './login.js';
import { migrateCommand } from './migrate.js';
import { seedCommand } from './seed.js';
import { startCommand } from './start.js';
import { tokenCommand } from './token.js';
import { userCommand } from './user.js';

/** The `behalf` command. A new command is a new file and one line here. */
export function makeProgram(): Command {
  const program = new Command('behalf')
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
    seedCommand(),
    importCommand(),
    loginCommand(),
    tokenCommand(),
    userCommand(),
    agentCommand(),
    documentsCommand(),
    auditCommand(),
    explainCommand(),
  ];
  for (const each of commands) program.addCommand(each);
  return program;
}
