import type { AuditRecord } from './acts/reading-back.js';
import { Step, type Sent, type StepReport } from './step.js';

/** A record and the number of its step. */
export interface TracedRecord extends AuditRecord {
  readonly step: number;
}

/** A step could not be done, so the story cannot go on. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff';
}

/** The steps of a story, in order. */
export class Book {
  private readonly steps: Step[] = [];

  constructor(
    private readonly server: string,
    private readonly onStep: (report: StepReport) => void,
  ) {}

  /** Runs one step and reports it. Throws `BrokenOff` where the step could not be done at all. */
  async step<T>(name: string, act: (step: Step) => Promise<T>): Promise<T> {
    const step = new Step(this.steps.length + 1, name, this.server);
    this.steps.push(step);
    try {
      return await act(step);
    } catch (error) {
      step.brokeOff(error);
      throw new BrokenOff(name, { cause: error });
    } finally {
      this.onStep(step.report());
    }
  }

  get reports(): readonly StepReport[] {
    return this.steps.map((step) => step.report());
  }

  /** All operations so far. */
  get sent(): readonly Sent[] {
    return this.steps.flatMap((step) => step.sent);
  }

  /** A sign-in or a token has no operation in `sent`: it belongs to the step that was running. */
  traced(record: AuditRecord): TracedRecord {
    const known = this.sent.find(({ answer }) => answer.operationId === record.id);
    const underWay = this.steps.findLast(({ startedAt }) => startedAt <= record.at);
    return { step: known?.step ?? underWay?.number ?? 1, ...record };
  }
}
