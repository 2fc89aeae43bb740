import type { Command } from 'commander';
import type { LoginOptions } from '../login.js';
import { serverOption } from '../sign-in/server-url.js';
import { command } from '../terminal/command.js';

export const loginCommand = (): Command =>
  command(
    'login',
    'sign in as a person, and keep the sign-in for `behalf token`',
    '',
    '--user rosa.lind',
    '--server https://behalf.example.com --user rosa.lind --password-file password.txt',
  )
    .option(...serverOption)
    .option('--user <name>', 'sign in here, without a browser')
    .option('--password-file <file>', 'its one line is the password, or the line that begins with `NAME: `')
    .action(async (options: LoginOptions) => (await import('../login.js')).login(options));
