import { BehalfError } from '../core/errors.js';
import { placeText, type Place } from '../core/fault.js';

/** A fault at one position of the input. */
export interface InputFault extends Place {
  /** The column of a table, or the path in a mapping. */
  readonly column?: string | undefined;
  readonly reason: string;
}

/** How many faults are reported at once. The check stops there. */
export const faultsMax = 50;

export const inputFaultText = ({ column = '', reason, ...place }: InputFault): string =>
  [placeText(place), ...(column === '' ? [] : [column]), reason].join(': ');

/** A command was refused for its input. It changed nothing. */
export class InputRefused extends BehalfError {
  constructor(
    readonly faults: readonly InputFault[],
    done = 'imported',
  ) {
    const many = faults.length === 1 ? '1 fault' : `${String(faults.length)} faults`;
    const rest = faults.length < faultsMax ? '' : '; there may be more';
    const list = faults.slice(0, faultsMax).map(inputFaultText).join('\n');
    super('BAD_USER_INPUT', `Nothing was ${done}: ${many}${rest}.\n${list}`);
  }
}

/** A parser's message without its position, which the fault states itself. */
export const yamlReason = (message: string): string =>
  (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');

/** Collects faults, to report them together. */
export class InputFaults {
  private readonly found: InputFault[] = [];

  /**
   * @param done the participle for the work that was refused
   * @param max how many faults to collect before the import is refused
   */
  constructor(
    private readonly done = 'imported',
    private readonly max = faultsMax,
  ) {}

  /** Throws `InputRefused` when `max` is reached. */
  add(fault: InputFault): void {
    this.found.push(fault);
    if (this.found.length >= this.max) this.refuse();
  }

  get all(): readonly InputFault[] {
    return this.found;
  }

  /** Adds an error about the input as a fault; throws any other error on. */
  caught(error: unknown, place: Omit<InputFault, 'reason'>): void {
    if (!(error instanceof BehalfError) || error instanceof InputRefused) throw error;
    this.add({ ...place, reason: error.message });
  }

  /** Throws `InputRefused` where there are faults. */
  refuse(): void {
    if (this.found.length > 0) throw new InputRefused(this.found, this.done);
  }

  get count(): number {
    return this.found.length;
  }
}
