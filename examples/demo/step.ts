import { isDeepStrictEqual } from 'node:util';
import { ask, type Answer } from './graphql.js';

/** The sender of an operation, by the names in its record. */
export interface Caller {
  readonly person: string;
  /** The acting agent; undefined where the person acts without one. */
  readonly agent?: string;
  readonly task?: string;
  readonly token: string;
}

export interface Expectation {
  readonly what: string;
  readonly ok: boolean;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** One operation that a step sent. */
export interface Sent {
  readonly step: number;
  readonly caller: Caller;
  readonly answer: Answer;
}

/** A step as it is printed. */
export interface StepReport {
  readonly number: number;
  readonly name: string;
  readonly request: readonly string[];
  readonly result: readonly string[];
  readonly why: string;
  readonly expectations: readonly Expectation[];
  readonly ok: boolean;
  /** The operation that the step is about, whose record is looked up. Null where it sent none. */
  readonly operationId: string | null;
  readonly operationIds: readonly string[];
}

/** One step of the story: the request, the answer, the reason, and whether the answer is right. */
export class Step {
  readonly startedAt = new Date().toISOString();
  readonly sent: Sent[] = [];
  private readonly expectations: Expectation[] = [];
  private request: readonly string[] = [];
  private result: readonly string[] = [];
  private reason = '';
  private main: Answer | undefined;

  constructor(
    readonly number: number,
    readonly name: string,
    readonly server: string,
  ) {}

  /** The request, in plain words. */
  asks(...lines: readonly string[]): void {
    this.request = lines;
  }

  /** The answer, in plain words. */
  gets(...lines: readonly string[]): void {
    this.result = lines;
  }

  why(reason: string): void {
    this.reason = reason;
  }

  /** Notes whether a value is right; the step goes on either way. */
  expect(what: string, actual: unknown, expected: unknown): void {
    this.expectations.push({ what, ok: isDeepStrictEqual(actual, expected), expected, actual });
  }

  /** Sends one operation and keeps its id for the audit. */
  async ask(
    caller: Caller,
    query: string,
    variables: Readonly<Record<string, unknown>> = {},
  ): Promise<Answer> {
    const answer = await ask(this.server, caller.token, query, variables);
    this.sent.push({ step: this.number, caller, answer });
    return answer;
  }

  /** Sets the operation that the step is about. */
  isAbout(answer: Answer): void {
    this.main = answer;
  }

  brokeOff(error: unknown): void {
    const actual = error instanceof Error ? error.message : String(error);
    this.expectations.push({ what: 'the step can be done', ok: false, expected: 'an answer', actual });
  }

  report(): StepReport {
    const ok = this.expectations.length > 0 && this.expectations.every((expectation) => expectation.ok);
    const main = this.main ?? this.sent.at(-1)?.answer;
    return {
      number: this.number,
      name: this.name,
      request: this.request,
      // The words for a good answer would mislead about another.
      result: ok ? this.result : main === undefined ? [] : [main.inWords()],
      why: this.reason,
      expectations: this.expectations,
      ok,
      operationId: main?.operationId ?? null,
      operationIds: this.sent.map(({ answer }) => answer.operationId),
    };
  }
}
