import { afterAll, beforeEach, vi } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Where a test ran; the JSON report tells no project. `.ci/count.mjs` reads it. */
    database?: string;
  }
}

beforeEach(({ task }) => {
  const { BEHALF_TEST_DATABASE: database } = process.env;
  if (database !== undefined) task.meta.database = database;
});

/** Files share a worker's modules, so a clock that one file stopped must not stand still for the next. */
afterAll(() => {
  vi.useRealTimers();
});
