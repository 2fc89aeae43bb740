import type { Command } from 'commander';
import type { AsOption } from '../../operator/recorded-change.js';
import type { CreateOptions, ListOptions, VersionOptions, TermsOptions } from '../client.js';
import type { UpdateOptions } from '../client-update.js';
import type { RuleOptions } from '../client-rule.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import {
  asOption,
  certificateNameOption,
  certificatesOption,
  newTokenBindingOption,
  tokenBindingOption,
} from '../terminal/options.js';

const aboutClients = `
A client acts as an agent of its own (--agent), which gets a task from the person who allows it, or it is a person's own tool
(--own-tool), whose tokens are the person's sign-in. No client has a secret: it is public, signs with its key, or has a certificate.`;

const aboutUpdates = `
What is not said stays as it is. A narrower ceiling, fewer resources and another token binding end the tokens that the client
has, or the sign-ins with it. You are asked before; without a terminal say --yes.`;

const versionOption = ['--expected-version <version>', 'the version that `behalf client show` told'] as const;

/** How a client is let in. */
const withTerms = (about: Command): Command =>
  about
    .option('--agent <name>', 'make an agent of this name, as which it acts')
    .option('--task <text>', 'the one business task of the agent')
    .option('--owner <user>', 'the person who answers for the agent')
    .option('--role <role...>', 'roles of the agent: its ceiling', [])
    .option('--own-tool', 'its tokens are the person’s own sign-in')
    .option('--scope <scope...>', 'the scopes that its tokens have at most (default: no ceiling of its own)')
    .option(
      '--resource <url...>',
      'the resources that its tokens may be for (default: those of this server)',
    );

export const clientCommand = (): Command =>
  group(
    'client',
    'OAuth clients: the applications that people use',
    withTerms(
      command(
        'client create',
        'register a client',
        'desk --redirect-uri http://127.0.0.1/callback --agent desk --task "Answer tickets" --owner rosa.lind --role support-agent --as admin',
      ),
    )
      .argument('<client-id>', 'its OAuth client id')
      .requiredOption('--redirect-uri <uri...>', 'where answers to its requests may go')
      .option('--name <name>', 'what it is called (default: its client id)')
      .option('--public-keys <file>', 'a JSON Web Key Set; with it the client signs, else it is public')
      .option(...certificatesOption)
      .option(...certificateNameOption)
      .option(...tokenBindingOption)
      .option('--notification-endpoint <url>', 'where it is told that a person has decided (OpenID CIBA)')
      .option(...asOption)
      .addHelpText('after', aboutClients)
      .action(async (clientId: string, options: CreateOptions) =>
        (await import('../client.js')).create(clientId, options),
      ),
    withTerms(
      command(
        'client admit',
        'let a client in that waits',
        'https://app.example/client.json --expected-version 1 --agent app --task "Answer tickets" --owner rosa.lind --role support-agent --as admin',
      ),
    )
      .argument('<client-id>')
      .requiredOption(...versionOption)
      .option(...asOption)
      .action(async (clientId: string, options: TermsOptions & VersionOptions) =>
        (await import('../client.js')).admit(clientId, options),
      ),
    command(
      'client accept',
      'take over what a client’s document says now',
      'https://app.example/client.json --expected-version 3 --as admin',
    )
      .argument('<client-id>')
      .requiredOption(...versionOption)
      .option(...asOption)
      .action(async (clientId: string, options: VersionOptions) =>
        (await import('../client.js')).accept(clientId, options),
      ),
    command(
      'client add-rule',
      'admit the clients of a host, from now on',
      'app.example --role support-agent --scope tickets:read --owner rosa.lind --as admin',
    )
      .argument('<host>', 'where their documents are')
      .requiredOption('--role <role>', 'the role of their agents')
      .requiredOption('--scope <scope...>', 'the scopes that their tokens have at most')
      .requiredOption('--owner <user>', 'the person who answers for their agents')
      .option(...asOption)
      .action(async (host: string, options: RuleOptions) =>
        (await import('../client-rule.js')).addRule(host, options),
      ),
    command('client list-rules', 'for which hosts there are rules', '').action(async (options: JsonOption) =>
      (await import('../client-rule.js')).listRules(options),
    ),
    command('client remove-rule', 'let new clients of a host wait again', 'app.example --as admin')
      .argument('<host>')
      .option(...asOption)
      .action(async (host: string, options: AsOption) =>
        (await import('../client-rule.js')).removeRule(host, options),
      ),
    command(
      'client update',
      'change a client that was admitted',
      'desk --expected-version 1 --scope tickets:read --as admin',
      'desk --expected-version 2 --no-scope --dry-run --as admin',
    )
      .argument('<client-id>')
      .requiredOption(...versionOption)
      .option('--name <name>', 'what it is called')
      .option('--redirect-uri <uri...>', 'where answers to its requests may go, in place of those so far')
      .option('--scope <scope...>', 'the scopes that its tokens have at most, in place of those so far')
      .option('--no-scope', 'no ceiling of scopes of its own')
      .option('--resource <url...>', 'the resources that its tokens may be for, in place of those so far')
      .option('--no-resource', 'the resources of this server')
      .option(...newTokenBindingOption)
      .option('--notification-endpoint <url>', 'where it is told that a person has decided (OpenID CIBA)')
      .option('--no-notification-endpoint', 'let it poll')
      .option('--dry-run', 'tell what would change, and whether its tokens would end, and change nothing')
      .option('--yes', 'do not ask before its tokens end')
      .option(...asOption)
      .addHelpText('after', aboutUpdates)
      .action(async (clientId: string, options: UpdateOptions) =>
        (await import('../client-update.js')).update(clientId, options),
      ),
    command('client list', 'which clients there are, and which wait', '--status quarantined')
      .option('--status <status>', 'only those that are quarantined, active or stopped')
      .action(async (options: ListOptions) => (await import('../client.js')).list(options)),
    command('client show', 'all that is known of a client', 'desk')
      .argument('<client-id>')
      .action(async (clientId: string, options: JsonOption) =>
        (await import('../client.js')).show(clientId, options),
      ),
    command('client stop', 'stop a client and all its tokens at once', 'desk --as admin')
      .argument('<client-id>')
      .option(...asOption)
      .action(async (clientId: string, options: AsOption) =>
        (await import('../client.js')).stop(clientId, options),
      ),
    command('client start', 'let a stopped client go on', 'desk --as admin')
      .argument('<client-id>')
      .option(...asOption)
      .action(async (clientId: string, options: AsOption) =>
        (await import('../client.js')).start(clientId, options),
      ),
  );
