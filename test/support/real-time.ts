import { afterAll, vi } from 'vitest';

/** Files share a worker's modules, so a clock that one file stopped must not stand still for the next. */
afterAll(() => {
  vi.useRealTimers();
});
