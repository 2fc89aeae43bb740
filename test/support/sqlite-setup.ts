import type { TestProject } from 'vitest/node';
import { freshSqlite, migrate } from './fresh-database.js';

/** One migrated file, which each test copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = await freshSqlite();
  await migrate(template);
  project.provide('sqliteTemplate', template.url.slice('sqlite:'.length));
  return () => template.drop();
}
