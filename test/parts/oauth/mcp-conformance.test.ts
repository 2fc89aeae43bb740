// databases: sqlite, mariadb
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withPassword } from '../../support/account.js';
import { Conformance, type Check } from '../../support/conformance.js';
import { freePort } from '../../support/free-port.js';
import { Office } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { Browser } from './browser.js';

let office: Office;
let results: string;
beforeAll(async () => {
  office = await Office.start();
  results = await mkdtemp(join(tmpdir(), 'behalf-conformance-'));
});
afterAll(async () => {
  await office.server.stop();
  await rm(results, { recursive: true, force: true });
});

/** What came of each check, by its id. */
async function outcomes(folder: string): Promise<Record<string, string>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('checks.json'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const checks = texts.flatMap((text) => JSON.parse(text) as Check[]);
  return Object.fromEntries(checks.map(({ id, status, errorMessage }) => [id, errorMessage ?? status]));
}

/** A client of the suite's own, that acts as an agent. */
async function register(clientId: string, port: string): Promise<void> {
  const { root } = office.company;
  const role = await office.company.role('support-agent');
  const agent = `agent: { name: "${clientId}", businessTask: "Answer tickets", ownerId: "${root.id}", roleIds: ["${role.id}"] }`;
  const uris = `redirectUris: ["http://127.0.0.1:${port}/callback"]`;
  const input = `input: { clientId: "${clientId}", name: "Conformance", ${uris}, ${agent} }`;
  await office.done(root, 'createClient', input);
}

// The suite has its own listener for the answer; the person is a browser.
test.each(['2025-11-25', '2026-07-28'])(
  'the authorization-server scenarios of the conformance suite for %s pass',
  async (revision) => {
    const [clientId, port] = [`suite-${revision}`, String(await freePort())];
    await register(clientId, port);
    const ines = await office.company.employee(`ines-${revision}`, 'support-rep');
    const username = await withPassword(office, ines);
    const suite = Conformance.start([
      ...['authorization', '--url', office.server.url, '--spec-version', revision, '--client-id', clientId],
      ...['--resource', `${office.server.url}/mcp`, '--port', port],
      ...['--output-dir', join(results, revision)],
    ]);
    const url = await suite.says(/http\S+\/oauth\/authorize\?\S+/);
    const browser = new Browser(office.server.url);
    const page = await browser.submit(await browser.open(url), { username, password });
    const back = await browser.submit(page, { purpose: 'Answer the letter', task: 'ticket:T-1' });
    await fetch(back.url);
    const { code, told } = await suite.ended();
    expect({ code, told: code === 0 ? '' : told }).toEqual({ code: 0, told: '' });
    const passed = ['authorization-server-metadata', 'authorization-code-grant'].map((id) => [id, 'SUCCESS']);
    expect(await outcomes(join(results, revision))).toMatchObject(Object.fromEntries(passed));
  },
);
