import type { Command } from 'commander';
import { actorsLimit, dialects, foreignTokenTypes } from '../../delegation/token-dialects.js';
import type { AsOption } from '../../operator/recorded-change.js';
import type { AddIssuerOptions } from '../issuer.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import { asOption, oneOf, positiveNumber, secondsOf } from '../terminal/options.js';

const aboutDialects = `
Dialects, by where the issuer writes person and agent:
  act           the person in sub, the agent in act.sub, earlier agents in nested act (RFC 8693)
  azp           the person in sub, the agent in azp, or else in the only aud (OpenID Connect)
  client-id     the person in sub, the agent in client_id (RFC 9068)
  agent-in-sub  the agent in sub, the person in the claim of --user-claim
  user-in-act   the agent in sub, the person in act.sub
An ID-JAG is always read as client-id. See docs/tokens-of-your-company.md.`;

export const issuerCommand = (): Command =>
  group(
    'issuer',
    'issuers whose tokens agents exchange for tokens of this server (RFC 8693, RFC 7523)',
    command(
      'issuer add',
      'trust an issuer: its tokens say for whom an agent acts',
      'company --issuer https://login.example.com --provider company --dialect act --as admin',
    )
      .argument('<name>', 'its name in commands')
      .requiredOption('--issuer <url>', 'the claim iss of its tokens, exactly')
      .requiredOption('--provider <name>', 'the identity provider whose subjects its tokens name')
      .option('--dialect <dialect>', 'how its tokens name person and agents', oneOf(dialects), 'client-id')
      .option('--user-claim <claim>', 'the claim that names the person, for the dialect agent-in-sub')
      .option('--accept <type...>', `the types of token: ${foreignTokenTypes.join(', ')}`, [
        'access_token',
        'id-jag',
      ])
      .option(
        '--audience <audience...>',
        'the accepted audiences, other than of an ID-JAG (default: PUBLIC_URL and PUBLIC_URL/graphql)',
      )
      .option('--max-age <time>', 'how old a token may be: 90s, 10m, 1h', secondsOf, 600)
      .option(
        '--actors <number>',
        `how many agents a token may name, at most ${String(actorsLimit)}`,
        positiveNumber,
        1,
      )
      .option(...asOption)
      .addHelpText('after', aboutDialects)
      .action(async (name: string, options: AddIssuerOptions) =>
        (await import('../issuer.js')).add(name, options),
      ),
    command('issuer list', 'which issuers there are, and which agents they name', '').action(
      async (options: JsonOption) => (await import('../issuer.js')).list(options),
    ),
    command(
      'issuer map',
      'say which agent an issuer means by a name of its own',
      'company 0oa1b2c3d4 support-helper --as admin',
    )
      .argument('<name>')
      .argument('<actor>', 'the agent’s name in tokens of the issuer; in an ID-JAG its client id here')
      .argument('<agent>')
      .option(...asOption)
      .action(async (name: string, actor: string, agent: string, options: AsOption) =>
        (await import('../issuer.js')).map(name, actor, agent, options),
      ),
    command(
      'issuer unmap',
      'let an actor be no agent any more: what its tokens made ends',
      'company 0oa1b2c3d4 --as admin',
    )
      .argument('<name>')
      .argument('<actor>')
      .option(...asOption)
      .action(async (name: string, actor: string, options: AsOption) =>
        (await import('../issuer.js')).unmap(name, actor, options),
      ),
    command('issuer remove', 'trust an issuer no more: what its tokens made ends', 'company --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) =>
        (await import('../issuer.js')).remove(name, options),
      ),
  );
