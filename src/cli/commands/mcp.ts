import type { Command } from 'commander';
import type { McpOptions } from '../mcp.js';
import { serverOption } from '../sign-in/server-url.js';
import { command } from '../terminal/command.js';
import { idOf } from '../terminal/options.js';

export const mcpCommand = (): Command =>
  command(
    'mcp',
    'the Model Context Protocol for programs that start their servers: messages at stdin and stdout go to `/mcp`',
    '--stdio --client my-assistant --server https://behalf.example.com',
    '--stdio --agent helpdesk-assistant --secret-file data/demo-agents/helpdesk-assistant.secret',
  )
    .option('--stdio', 'messages at stdin, answers at stdout, a line each')
    .option(...serverOption)
    .option('--client <id>', 'sign in with a browser as this client, for the task that the person hands over')
    .option('--agent <name>', 'act as this agent')
    .option('--delegation <id>', 'the delegation of the agent (default: its only active one)', idOf)
    .option('--secret-file <file>', 'holds the agent’s secret')
    .option('--key-file <file>', 'holds the agent’s private key as a JSON Web Key')
    .action(async (options: McpOptions) => (await import('../mcp.js')).mcp(options));
