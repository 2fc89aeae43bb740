import type { Command } from 'commander';
import type { AsOption } from '../../operator/recorded-change.js';
import type { AddOptions } from '../provider-add.js';
import type { SignalsOptions } from '../provider-signals.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import { asOption } from '../terminal/options.js';

const aboutSecrets = `
The client secret is asked for on the terminal, or read from a pipe or from --secret-file; it is never an argument. The
redirect URI to register at the provider is PUBLIC_URL/oauth/callback/NAME.`;

export const providerCommand = (): Command =>
  group(
    'provider',
    'identity providers with which people sign in (OpenID Connect)',
    command(
      'provider add',
      'trust an identity provider',
      'company --issuer https://login.example.com --client-id behalf --label "Example" --secret-file secret.txt --as admin',
    )
      .argument('<name>', 'its name in commands and in the redirect URI')
      .requiredOption('--issuer <url>', 'its issuer identifier, exactly as its metadata has it')
      .requiredOption('--client-id <id>', 'the client that it registered for this server')
      .option('--label <text>', 'what the button of the sign-in page says (default: the name)')
      .option('--secret-file <file>', 'a file with the client secret on its only line')
      .option('--scope <scope...>', 'scopes to ask for, beside openid', ['profile', 'email'])
      .option('--groups-claim <claim>', 'the claim that lists a person’s groups', 'groups')
      .option(
        '--name-claim <claim>',
        'the claim from which a new account’s name is made',
        'preferred_username',
      )
      .option('--create-users', 'make an account for a person who has none')
      .option(...asOption)
      .addHelpText('after', aboutSecrets)
      .action(async (name: string, options: AddOptions) =>
        (await import('../provider-add.js')).addProvider(name, options),
      ),
    command('provider list', 'which providers there are, and what their groups give', '').action(
      async (options: JsonOption) => (await import('../provider.js')).list(options),
    ),
    command('provider test', 'read a provider’s metadata and tell what is missing', 'company')
      .argument('<name>')
      .action(async (name: string, options: JsonOption) =>
        (await import('../provider-test.js')).testProvider(name, options),
      ),
    command(
      'provider remove',
      'trust a provider no more: its people’s sessions and the roles of its groups end',
      'company --as admin',
    )
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) =>
        (await import('../provider.js')).remove(name, options),
      ),
    command(
      'provider link',
      'let a person who has an account sign in by a provider',
      'company rosa.lind 00u1a2b3 --as admin',
    )
      .argument('<name>')
      .argument('<user>')
      .argument('<subject>', 'who the person is there: the claim `sub`')
      .option(...asOption)
      .action(async (name: string, user: string, subject: string, options: AsOption) =>
        (await import('../provider.js')).link(name, user, subject, options),
      ),
    command(
      'provider unlink',
      'let a subject be nobody any more: the person’s sessions, and what tokens that named it made, end',
      'company 00u1a2b3 --as admin',
    )
      .argument('<name>')
      .argument('<subject>', 'the claim `sub`')
      .option(...asOption)
      .action(async (name: string, subject: string, options: AsOption) =>
        (await import('../provider.js')).unlink(name, subject, options),
      ),
    command(
      'provider signals',
      'take a provider’s security events (Shared Signals), which end its people’s sessions',
      'company --audience https://behalf.example.com --authorization-file header.txt --as admin',
    )
      .argument('<name>')
      .option('--audience <text>', 'the audience (aud) of its security event tokens')
      .option('--issuer <url>', 'their issuer (iss), where it is not that of the provider')
      .option('--keys <url>', 'the transmitter’s JWK Set, where its keys are not those of the provider')
      .option(
        '--authorization-file <file>',
        'a file with the whole value of the Authorization header that it must send, on its only line',
      )
      .option('--off', 'take them no more')
      .option(...asOption)
      .action(async (name: string, options: SignalsOptions) =>
        (await import('../provider-signals.js')).signals(name, options),
      ),
    command(
      'provider map',
      'give people of a group a role, from their next sign-in on',
      'company "Customer care" support-rep --as admin',
    )
      .argument('<name>')
      .argument('<group>', 'the group’s exact name in the groups claim')
      .argument('<role>')
      .option(...asOption)
      .action(async (name: string, groupName: string, role: string, options: AsOption) =>
        (await import('../provider.js')).map(name, groupName, role, options),
      ),
    command(
      'provider unmap',
      'let a group give a role no more',
      'company "Customer care" support-rep --as admin',
    )
      .argument('<name>')
      .argument('<group>')
      .argument('<role>')
      .option(...asOption)
      .action(async (name: string, groupName: string, role: string, options: AsOption) =>
        (await import('../provider.js')).unmap(name, groupName, role, options),
      ),
  );
