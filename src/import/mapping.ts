import { z } from 'zod';
import type { InputFaults } from '../operator/input-faults.js';
import { isTimeFormat } from './time-formats.js';
import { readYaml, type Path, type YamlFile } from '../operator/yaml-file.js';

const constant = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'must be a text, a number, true, false or null',
});
export type Constant = z.infer<typeof constant>;
const column = z.string({ error: 'must be the name of a column; texts such as NULL need quotes' }).min(1);
const timeFormat = z
  .string()
  .refine(isTimeFormat, 'must be made of YYYY, MM, DD and, where there is a time of day, HH, mm, ss, SSS');

/** The keys that say where a value comes from. */
const kinds = ['column', 'columns', 'constant', 'text', 'join', 'present', 'compute'] as const;

const computations = ['line_total', 'sum_of_lines', 'position'] as const;
export type Computation = (typeof computations)[number];

/** The source of a value. Exactly one of `kinds` is set; the other properties refine it. */
export interface Source {
  readonly column?: string | undefined;
  /** The columns of a composite key. */
  readonly columns?: readonly string[] | undefined;
  readonly constant?: Constant | undefined;
  /**
   * A text with columns in braces, such as `NW-{orderID}`. It gives no value where one of the columns has
   * none.
   */
  readonly text?: string | undefined;
  /** Columns joined by `with`. Columns without a value are left out. */
  readonly join?: readonly string[] | undefined;
  readonly with?: string | undefined;
  /** `then` where the column has a value, otherwise `else`. */
  readonly present?: string | undefined;
  readonly then?: Source | undefined;
  readonly else?: Source | undefined;
  readonly compute?: Computation | undefined;
  readonly lookup?: string | undefined;
  readonly format?: string | undefined;
  readonly shift?: number | undefined;
}

const sourceParts: z.ZodType<Source> = z
  .strictObject({
    column: column.optional(),
    columns: z.array(column).min(1).optional(),
    constant: constant.optional(),
    text: z.string().min(1).optional(),
    join: z.array(column).min(1).optional(),
    with: z.string().optional(),
    present: column.optional(),
    // Getters, because a source contains sources.
    get then(): z.ZodOptional<z.ZodType<Source>> {
      return branch.optional();
    },
    get else(): z.ZodOptional<z.ZodType<Source>> {
      return branch.optional();
    },
    compute: z.enum(computations).optional(),
    lookup: z.string().min(1).optional(),
    format: timeFormat.optional(),
    shift: z.int().min(0).max(12).optional(),
  })
  .superRefine((value, context) => {
    const fault = (message: string): void => {
      context.addIssue({ code: 'custom', message });
    };
    if (kinds.filter((kind) => value[kind] !== undefined).length !== 1)
      fault(`must have exactly one of ${kinds.join(', ')}`);
    if (value.with !== undefined && value.join === undefined) fault('has `with`, which belongs to `join`');
    const branches = [value.then, value.else].filter((part) => part !== undefined).length;
    if (branches !== (value.present === undefined ? 0 : 2))
      fault('must have `then` and `else` where it has `present`, and only there');
  });

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
/** A plain text is a column for a field, and a constant for `then` and `else`. */
const source = z.preprocess((value) => (isObject(value) ? value : { column: value }), sourceParts);
const branch: z.ZodType<Source> = z.preprocess(
  (value) => (isObject(value) ? value : { constant: value }),
  sourceParts,
);

const lookup = z
  .strictObject({
    values: z.record(z.string(), constant).optional(),
    file: z.string().min(1).optional(),
    key: column.optional(),
    value: column.optional(),
    default: constant.optional(),
  })
  .superRefine((value, context) => {
    const inFile = value.file !== undefined && value.key !== undefined && value.value !== undefined;
    const some = value.file !== undefined || value.key !== undefined || value.value !== undefined;
    if ((value.values !== undefined) === some || (some && !inFile))
      context.addIssue({
        code: 'custom',
        message: 'must have either `values`, or `file`, `key` and `value`',
      });
  });
export type Lookup = z.infer<typeof lookup>;

const entity = z.strictObject({
  file: z.string().min(1),
  extraCommasIn: column.optional(),
  key: z.preprocess((value) => (typeof value === 'string' ? [value] : value), z.array(column).min(1)),
  allowEmpty: z.boolean().optional(),
  fields: z.record(z.string(), source),
});
export type EntityMapping = z.infer<typeof entity>;

const mappingSchema = z
  .strictObject({
    source: z.string().trim().min(1).max(60),
    nulls: z.array(z.string({ error: 'must be a text: put it in quotes' })).default([]),
    dates: timeFormat.optional(),
    delimiter: z.string().length(1).optional(),
    decimal: z.enum(['.', ',']).default('.'),
    group: z.enum(['.', ',', ' ', "'"]).optional(),
    lookups: z.record(z.string(), lookup).default({}),
    entities: z.record(z.string(), entity),
  })
  .refine(({ decimal, group }) => decimal !== group, {
    path: ['group'],
    message: 'cannot be the same as `decimal`',
  });
type Mapping = z.infer<typeof mappingSchema>;

/** A mapping with its source text, so that later faults can name the line. */
export class MappingFile {
  private constructor(
    private readonly file: YamlFile<Mapping>,
    /** Receives the faults. */
    readonly faults: InputFaults,
  ) {}

  /** Undefined, with faults reported, where its form is wrong. */
  static parse(name: string, text: string, faults: InputFaults): MappingFile | undefined {
    const file = readYaml(name, text, mappingSchema, faults);
    return file === undefined ? undefined : new MappingFile(file, faults);
  }

  get name(): string {
    return this.file.name;
  }

  get mapping(): Mapping {
    return this.file.value;
  }

  fault(path: Path, reason: string): void {
    this.faults.add(this.file.fault(path, reason));
  }
}
