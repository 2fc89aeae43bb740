import type { Command } from 'commander';
import { serverOption } from '../sign-in/server-url.js';
import { command } from '../terminal/command.js';
import { idOf } from '../terminal/options.js';
import type { TokenOptions } from '../token.js';

export const tokenCommand = (): Command =>
  command(
    'token',
    'print an access token: of the person who is signed in, or of an agent under a delegation',
    '',
    '--agent helpdesk-assistant --delegation 01J… --secret-file data/demo-agents/helpdesk-assistant.secret',
  )
    .option(...serverOption)
    .option('--agent <name>', 'the agent that acts')
    .option('--delegation <id>', 'the delegation under which it acts', idOf)
    .option('--secret-file <file>', 'holds the agent’s secret')
    .option('--scope <scopes>', 'only these scopes of the delegation, separated by spaces')
    .action(async (options: TokenOptions) => (await import('../token.js')).token(options));
