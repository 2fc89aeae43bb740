import { expect, test } from 'vitest';
import { parseTraceparent } from '../src/operation/tracing.js';

const [trace, span] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

test.each([
  [`00-${trace}-${span}-01`, 1],
  [`00-${trace}-${span}-00`, 0],
  [`00-${trace}-${span}-ff`, 1],
  [`cc-${trace}-${span}-01-of-the-future`, 1],
])('%s is taken, with its flag', (header, traceFlags) => {
  expect(parseTraceparent(header)).toEqual({ traceId: trace, spanId: span, traceFlags });
});

test.each([
  undefined,
  '',
  'x',
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01-more`,
  `00-${trace}-${span}`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
])('%s begins a new trace', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
