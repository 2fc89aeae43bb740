import { isDate, isInteger64 } from '../../store/tables/canonical.js';
import { GraphQLError, Kind, type GraphQLScalarType, type ValueNode } from 'graphql';

const invalid = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });

/** In UTC with milliseconds, and with microseconds where it has some, as columns of a company may. */
function parseTime(value: unknown): string {
  const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;
  const ms = typeof value === 'string' && form.test(value) ? Date.parse(value) : Number.NaN;
  const iso = Number.isNaN(ms) ? '' : new Date(ms).toISOString();
  // JavaScript reads 30 February as 2 March, and the databases have no year beyond 9999.
  const day = typeof value === 'string' ? Number(value.slice(8, 10)) : 0;
  const month = typeof value === 'string' ? value.slice(0, 7) : '';
  const isDay = !Number.isNaN(Date.parse(`${month}-01`)) && day <= daysOf(month);
  if (iso.length !== 24 || iso < '1000' || !isDay) {
    throw invalid('A DateTime is written as in 2026-03-01T09:30:00.000Z.');
  }
  const [, microseconds = ''] = /\.\d{3}(\d*?)0*[Z+-]/.exec(String(value)) ?? [];
  return `${iso.slice(0, -1)}${microseconds}Z`;
}

/** The number of days in a month such as `2026-02`. */
const daysOf = (month: string): number =>
  new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5, 7)), 0)).getUTCDate();

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string' || !/^-?\d{1,35}(\.\d{1,30})?$/.test(value)) {
    throw invalid('A Decimal is a string such as "1234.50".');
  }
  return value;
}

function parseBigInt(value: unknown): string {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string' || !isInteger64(text)) {
    throw invalid('A BigInt is an integer of at most 64 bits as a string, such as "1234".');
  }
  return text;
}

const parseBigIntLiteral = (node: ValueNode): string =>
  parseBigInt(node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : undefined);

/** A column of a company may hold something else, in SQLite. */
function writeBigInt(value: unknown): string {
  const text = String(value);
  if (/^-?\d+$/.test(text)) return text;
  throw new GraphQLError('The stored value is no integer.');
}

function parseDate(value: unknown): string {
  if (typeof value !== 'string' || !isDate(value)) throw invalid('A Date is a day such as "2026-03-01".');
  return value;
}

const literal = (parse: (value: unknown) => string) => (node: ValueNode) =>
  parse(node.kind === Kind.STRING ? node.value : undefined);

/** The scalars of the SDL. What resolvers give is already the right string, but for integers. */
export const scalars: Readonly<Record<string, Partial<GraphQLScalarType<string, unknown>>>> = {
  DateTime: { parseValue: parseTime, parseLiteral: literal(parseTime) },
  Decimal: { parseValue: parseDecimal, parseLiteral: literal(parseDecimal) },
  BigInt: { parseValue: parseBigInt, parseLiteral: parseBigIntLiteral, serialize: writeBigInt },
  Date: { parseValue: parseDate, parseLiteral: literal(parseDate) },
};
