import { BehalfError } from '../core/errors.js';

/** What is wrong with one place of the input. */
export interface Fault {
  readonly file: string;
  /** Beginning with 1; none where the whole file is meant. */
  readonly line?: number | undefined;
  /** The column of a table, or the place in a mapping. */
  readonly column?: string | undefined;
  readonly reason: string;
}

/** So many are told at once; after that nobody looks for more. */
export const faultsMax = 50;

export const wording = ({ file, line, column = '', reason }: Fault): string => {
  const place = line === undefined ? file : `${file}:${String(line)}`;
  return [place, ...(column === '' ? [] : [column]), reason].join(': ');
};

/** An import that was refused for its input. It changed nothing. */
export class ImportRefused extends BehalfError {
  constructor(
    readonly faults: readonly Fault[],
    done = 'imported',
  ) {
    const many = faults.length === 1 ? '1 fault' : `${String(faults.length)} faults`;
    const rest = faults.length < faultsMax ? '' : '; there may be more';
    const told = faults.slice(0, faultsMax).map(wording).join('\n');
    super('BAD_USER_INPUT', `Nothing was ${done}: ${many}${rest}.\n${told}`);
  }
}

/** A parser's message without the picture of the place, which the fault names itself. */
export const yamlReason = (message: string): string =>
  (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');

/** Gathers faults, so that they are told together. */
export class Faults {
  private readonly found: Fault[] = [];

  /**
   * @param done what was not, because of them
   * @param max so many are looked for before all is refused
   */
  constructor(
    private readonly done = 'imported',
    private readonly max = faultsMax,
  ) {}

  /** Throws `ImportRefused` when this makes it enough. */
  add(fault: Fault): void {
    this.found.push(fault);
    if (this.found.length >= this.max) this.refuse();
  }

  get all(): readonly Fault[] {
    return this.found;
  }

  /** As a fault, where the reason is the input's; anything else is thrown on. */
  caught(error: unknown, place: Omit<Fault, 'reason'>): void {
    if (!(error instanceof BehalfError) || error instanceof ImportRefused) throw error;
    this.add({ ...place, reason: error.message });
  }

  /** Throws `ImportRefused` where anything was found. */
  refuse(): void {
    if (this.found.length > 0) throw new ImportRefused(this.found, this.done);
  }

  get count(): number {
    return this.found.length;
  }
}
