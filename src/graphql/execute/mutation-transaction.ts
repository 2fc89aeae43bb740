import { GraphQLError, type ExecutionResult } from 'graphql';
import { conflict } from '../../core/errors.js';
import { StaleAuthority, type Charges, type CommitGate } from '../../delegation/commit-gate.js';
import type { Resolver } from '../../delegation/resolver-context.js';
import type { ResolverContexts } from '../../delegation/resolver-contexts.js';
import { RunAgain } from '../../store/drivers/lock-conflicts.js';
import { CommitLost, type Database } from '../../store/sql/database.js';
import { writeFault } from '../../store/sql/write-faults.js';
import { auditRecords } from '../../store/tables/audit.js';
import { asGraphQLError } from '../errors.js';
import type { Access } from '../plan/access-rules.js';
import { argumentsOf } from '../plan/selection.js';
import { sizeFault } from './answer-size.js';
import type { Call } from './call.js';
import { finishedOf } from './finished-call.js';
import { executeByGraphqlJs } from './graphql-js.js';
import type { Decided, Request } from './request.js';

/** Carries the result of a failed mutation out of the transaction that it rolls back. */
class RolledBack extends Error {
  constructor(readonly result: ExecutionResult) {
    super('rolled back');
  }
}

export interface MutationTransactionParts {
  readonly database: Database;
  readonly contexts: ResolverContexts;
  readonly commitGate: CommitGate;
  readonly answerBytesMax: number;
}

/** Runs a mutation, with its record, in one transaction. */
export class MutationTransaction {
  constructor(private readonly parts: MutationTransactionParts) {}

  /** A mutation with any refused coordinate does not begin. */
  async run(request: Request, decided: Decided): Promise<ExecutionResult> {
    const { call } = request;
    const { denied } = decided.access;
    if (denied.size > 0) return { data: null, errors: refusedWhole(call, denied) };
    await this.doBeforehand(call, decided);
    let result: ExecutionResult | undefined;
    let charges: Charges | undefined;
    try {
      return await this.parts.database
        .transaction(async (tx) => {
          const operation = this.parts.contexts.writing(call, call.newTrail(), tx);
          const finish = await this.parts.commitGate.begin(tx, call);
          result = await executeByGraphqlJs(request, operation);
          if (result.errors !== undefined) throw new RolledBack(result);
          await operation.rows.writes();
          const refusal = sizeFault(JSON.stringify(result.data), this.parts.answerBytesMax);
          if (refusal !== undefined) throw new RolledBack({ errors: [asGraphQLError(refusal)] });
          charges = await finish(finishedOf(call, [], true));
          return result;
        })
        .then((committed) => {
          call.markRecorded();
          if (charges !== undefined) this.parts.commitGate.note(charges);
          return committed;
        });
    } catch (error) {
      if (error instanceof StaleAuthority) throw error;
      // The record commits with the mutation, so it tells whether a COMMIT without an answer was done.
      if (error instanceof CommitLost && result !== undefined && (await this.isRecorded(call))) {
        call.markRecorded();
        return result;
      }
      call.trail = call.trail.rolledBack();
      if (error instanceof RolledBack) return { data: null, errors: error.result.errors ?? [] };
      const cause =
        error instanceof RunAgain
          ? conflict('Rights changed several times while this ran. Try again.')
          : writeFault(error, 'A row');
      return {
        data: null,
        errors: [asGraphQLError(cause instanceof Error ? cause : new Error(String(cause)))],
      };
    }
  }

  /** An error here is dropped: the same step fails again, with its error, in the resolver. */
  private async doBeforehand(call: Call, { plan, coerced }: Decided): Promise<void> {
    for (const selected of plan.selection.fields) {
      const { before } = selected.field.extensions as Pick<Resolver, 'before'>;
      if (before === undefined) continue;
      const operation = this.parts.contexts.reading(call, call.newTrail(), 'plain');
      await before(argumentsOf(selected, coerced) as never, operation).catch(() => undefined);
    }
  }

  private async isRecorded(call: Call): Promise<boolean> {
    const found = await this.parts.database.read.byId(auditRecords, call.id).catch(() => undefined);
    return found !== undefined;
  }
}

function refusedWhole(call: Call, denied: Access['denied']): GraphQLError[] {
  return [...denied].map(([selected, { decision, error }]) => {
    call.trail.refused(decision);
    return new GraphQLError(error.message, { nodes: selected.nodes, originalError: error });
  });
}
