import type { Command } from 'commander';
import type { AsOption } from '../../operator/recorded-change.js';
import type { CreateOptions } from '../agent.js';
import type { BindCertificateOptions } from '../agent-certificate.js';
import type { RotateOptions } from '../agent-secret.js';
import type { WorkloadOptions } from '../agent-workload.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import {
  asOption,
  certificateNameOption,
  certificatesOption,
  claimOf,
  tokenBindingOption,
  wholeNumber,
} from '../terminal/options.js';

const secretFile = [
  '--secret-file <file>',
  'write the secret into this new file, for you alone, and do not print it',
] as const;

const issuerOption = [
  '--issuer <url>',
  'the claim `iss` of its JWTs; for SPIFFE the trust domain: spiffe://…',
] as const;
const subjectOption = ['--subject <subject>', 'the claim `sub`'] as const;
const claimOption = [
  '--claim <name=value>',
  'one more claim; a name with / is a JSON Pointer: /kubernetes.io/pod/name=…',
  claimOf,
] as const;
const keysUriOption = [
  '--keys-uri <url>',
  'where the issuer’s keys are (default: as its metadata says)',
] as const;
const reusableOption = [
  '--reusable',
  'let one JWT be used again until it expires, as Kubernetes’ in a file',
] as const;

const aboutNewSecrets = `
Whoever has an agent's secret can act by its roles and under its delegations. So the person of --as must be able to grant
all roles of the agent, and live delegations that use any other role end with the new secret: of the person who made
them, or of another agent of their chain. You are asked before; without a terminal say --yes.`;

const aboutWorkloads = `
Its JWTs are for this server alone (audience: the public URL or the token endpoint) and last an hour at most. The agent
sends one as client_assertion with its name as client_id. Its secrets, keys and tokens end.
${aboutNewSecrets}`;

const aboutCertificates = `
Say either --certificates or --certificate-name. The server must be told by which header a proxy passes certificates:
BEHALF_CLIENT_CERTIFICATE_HEADER. Its secrets, keys and tokens end.
${aboutNewSecrets}`;

export const agentCommand = (): Command =>
  group(
    'agent',
    'agents and their secrets',
    command(
      'agent create',
      'make an agent',
      'helpdesk-bot --task "Answer tickets" --owner rosa.lind --role support-agent --as admin',
    )
      .argument('<name>', 'its name, also its OAuth client id')
      .requiredOption('--task <text>', 'the one business task that it is for')
      .requiredOption('--owner <user>', 'the person who answers for it')
      .option('--display-name <name>', 'the name as people write it (default: its name)')
      .option('--role <role...>', 'roles to assign: its ceiling', [])
      .option(
        '--redirect-uri <uri...>',
        'where people’s answers may go, if it asks them itself (OAuth code flow)',
        [],
      )
      .option('--public-keys <file>', 'a JSON Web Key Set; with it the agent signs and has no secret')
      .option(...secretFile)
      .option(...certificatesOption)
      .option(...certificateNameOption)
      .option(...tokenBindingOption)
      .option(...issuerOption)
      .option(...subjectOption)
      .option(...claimOption)
      .option(...keysUriOption)
      .option(...reusableOption)
      .option(...asOption)
      .addHelpText(
        'after',
        '\nWith --issuer and --subject it is a workload, as by `behalf agent bind-workload`, and has no secret.',
      )
      .action(async (name: string, options: CreateOptions) =>
        (await import('../agent.js')).create(name, options),
      ),
    command('agent list', 'which agents there are', '').action(async (options: JsonOption) =>
      (await import('../agent.js')).list(options),
    ),
    command('agent secrets', 'which agents and resource servers have a secret, and since when', '').action(
      async (options: JsonOption) => (await import('../agent.js')).secrets(options),
    ),
    command('agent rotate-secret', 'give an agent a new secret', 'helpdesk-bot --overlap 3600 --as admin')
      .argument('<name>')
      .option('--overlap <seconds>', 'how long earlier secrets stay valid', wholeNumber, 0)
      .option('--dry-run', 'tell which delegations would end, and change nothing')
      .option('--yes', 'do not ask before delegations end')
      .option(...secretFile)
      .option(...asOption)
      .addHelpText('after', aboutNewSecrets)
      .action(async (name: string, options: RotateOptions) =>
        (await import('../agent-secret.js')).rotateAgentSecret(name, options),
      ),
    command(
      'agent bind-workload',
      'let an agent be a workload of a platform, without a secret',
      'helpdesk-bot --issuer https://oidc.cluster.example --subject system:serviceaccount:support:helpdesk --reusable --as admin',
      'triage-bot --issuer https://token.actions.githubusercontent.com --subject repo:acme/desk:ref:refs/heads/main --as admin',
    )
      .argument('<name>')
      .requiredOption(...issuerOption)
      .requiredOption(...subjectOption)
      .option(...claimOption)
      .option(...keysUriOption)
      .option(...reusableOption)
      .option('--keep', 'keep the workloads that are bound already')
      .option('--dry-run', 'tell which delegations would end, and change nothing')
      .option('--yes', 'do not ask before delegations end')
      .option(...asOption)
      .addHelpText('after', aboutWorkloads)
      .action(async (name: string, options: WorkloadOptions) =>
        (await import('../agent-workload.js')).bindWorkload(name, options),
      ),
    command(
      'agent bind-certificate',
      'let an agent be authenticated by its certificate (mutual TLS)',
      'desk-bot --certificate-name san_uri=spiffe://acme.example/desk --as admin',
      'desk-bot --certificates desk.pem --as admin',
    )
      .argument('<name>')
      .option(...certificatesOption)
      .option(...certificateNameOption)
      .option('--dry-run', 'tell which delegations would end, and change nothing')
      .option('--yes', 'do not ask before delegations end')
      .option(...asOption)
      .addHelpText('after', aboutCertificates)
      .action(async (name: string, options: BindCertificateOptions) =>
        (await import('../agent-certificate.js')).bindCertificate(name, options),
      ),
    command('agent stop', 'stop an agent and all its tokens at once', 'helpdesk-bot --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) => (await import('../agent.js')).stop(name, options)),
    command('agent start', 'let a stopped agent go on', 'helpdesk-bot --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) => (await import('../agent.js')).start(name, options)),
    command('agent assign', 'give an agent a role', 'helpdesk-bot support-agent --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(async (name: string, role: string, options: AsOption) =>
        (await import('../agent.js')).assign(name, role, options),
      ),
    command('agent unassign', 'take a role from an agent', 'helpdesk-bot support-agent --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(async (name: string, role: string, options: AsOption) =>
        (await import('../agent.js')).unassign(name, role, options),
      ),
  );
