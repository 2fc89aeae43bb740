import type { Command } from 'commander';
import type { AsOption } from '../../operator/recorded-change.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import type { CreateOptions, ResetOptions } from '../user-create.js';
import { asOption } from '../terminal/options.js';

const passwordFile = [
  '--password-file <file>',
  'write the password into this new file, for you alone, and do not print it',
] as const;

export const userCommand = (): Command =>
  group(
    'user',
    'people’s accounts',
    command(
      'user create',
      'make an account',
      'rosa.lind --display-name "Rosa Lind" --role support-rep --as admin',
      'admin --admin',
    )
      .argument('<name>', 'what the person types to sign in')
      .option('--display-name <name>', 'the name as people write it (default: the account’s name)')
      .option('--email <address>', 'where the person can be reached')
      .option('--role <role...>', 'roles to assign', [])
      .option('--admin', 'an administrator who may assign what you may; the first one needs no --as')
      .option(...passwordFile)
      .option(...asOption)
      .action(async (name: string, options: CreateOptions) =>
        (await import('../user-create.js')).createAccount(name, options),
      ),
    command('user list', 'who there is', '').action(async (options: JsonOption) =>
      (await import('../user.js')).list(options),
    ),
    command('user disable', 'end an account with its sessions and tokens', 'rosa.lind --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) => (await import('../user.js')).disable(name, options)),
    command('user enable', 'let a disabled account be used again', 'rosa.lind --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) => (await import('../user.js')).enable(name, options)),
    command(
      'user reset-password',
      'give an account a new password and end its sessions',
      'rosa.lind --as admin',
    )
      .argument('<name>')
      .option(...passwordFile)
      .option(...asOption)
      .action(async (name: string, options: ResetOptions) =>
        (await import('../user-create.js')).giveNewPassword(name, options),
      ),
    command('user assign', 'give a person a role', 'rosa.lind support-rep --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(async (name: string, role: string, options: AsOption) =>
        (await import('../user.js')).assign(name, role, options),
      ),
    command('user unassign', 'take a role from a person', 'rosa.lind support-rep --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(async (name: string, role: string, options: AsOption) =>
        (await import('../user.js')).unassign(name, role, options),
      ),
  );
