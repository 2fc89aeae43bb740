import { getOperationAST, parse, type GraphQLSchema } from 'graphql';
import { cutText } from '../core/cut-text.js';
import type { Digest } from '../audit/kept-value.js';
import { badInput, tooComplex, type BehalfError } from '../core/errors.js';
import type { DocumentFault } from '../delegation/trusted-documents.js';
import { checkDocument } from '../graphql/document/document-check.js';
import { literalsOf } from '../graphql/document/literals.js';
import { redactorOf } from '../graphql/document/redact-variables.js';
import { documentTokensMax, variablesFault } from '../graphql/document/structure.js';
import type { Call } from '../graphql/execute/call.js';
import type { Executor } from '../graphql/execute/executor.js';
import type { SchemaPolicy } from '../graphql/schema/schema-policy.js';
import { documentAdvice } from './document-advice.js';
import { isRecord, parametersIn } from './parameters.js';
import { explainDecisions, knowsSchema, type Refusal } from './refusal.js';
import { noteDocument, resolveDocument, type ResolveParts } from './resolve.js';

/** Whether a document is valid, what it costs, and why it would be refused. It does not run. */
export interface DocumentReport {
  /** False where the document itself is at fault. */
  readonly valid: boolean;
  readonly kind?: 'query' | 'mutation';
  readonly cost?: { readonly requested: number; readonly max: number };
  readonly refusals: readonly Refusal[];
}

/** Why a document would be refused, and the person who could hand over more. */
export interface DocumentRefusals {
  readonly refusals: readonly Refusal[];
  readonly person: string;
}

export interface DocumentCheckParts extends ResolveParts {
  readonly executor: Executor;
  readonly policy: SchemaPolicy;
  readonly digest: Digest;
}

/** Characters of one fault: a message may repeat what was sent. */
const faultMax = 500;

/** Checks documents that do not run. */
export class DocumentCheck {
  constructor(private readonly parts: DocumentCheckParts) {}

  /** @param view the schema in which the caller's documents run */
  async report(call: Call, view: GraphQLSchema, body: unknown): Promise<DocumentReport> {
    const { faults, checked } = await this.check(call, view, body);
    const valid = faults.length === 0;
    if (checked === undefined) return { valid, refusals: faults };
    const { kind, cost, decisions } = checked;
    const tooDear = cost.requested <= cost.max ? [] : [refusedFor(tooComplex(cost))];
    const refusals = [...faults, ...tooDear, ...explainDecisions(call.authority, decisions)];
    return { valid, kind, cost, refusals };
  }

  /** As `report`, without what the document is. */
  async refusals(call: Call, view: GraphQLSchema, body: unknown): Promise<DocumentRefusals> {
    const { refusals } = await this.report(call, view, body);
    return { refusals, person: call.authority.chain.person.displayName };
  }

  private async check(call: Call, view: GraphQLSchema, body: unknown) {
    const { query: source, variables } = parametersIn(await resolveDocument(call, this.parts, body));
    if (typeof source !== 'string')
      throw badInput('Give a `document`, or the `documentId` of a registered one.', 'document');
    if (variables !== undefined && variables !== null && !isRecord(variables))
      throw badInput('`variables` is an object.', 'variables');
    noteDocument(call, { query: source });
    const valid = checkDocument(view, source);
    if ('faults' in valid)
      return { faults: knowsSchema(call.authority) ? valid.faults.map(refusedFault) : [unfit] };
    const document = parse(source, { maxTokens: documentTokensMax });
    const operation = getOperationAST(document);
    if (operation === null || operation === undefined)
      throw new Error('A checked document has one operation.');
    const fault = variablesFault(variables);
    if (fault !== undefined) throw fault;
    const { policy, digest } = this.parts;
    call.variables = redactorOf(view, policy, document, operation, digest)(variables ?? {});
    call.literals = literalsOf(view, policy, document, operation, digest);
    const { cost, refusals, variableFaults } = this.parts.executor.check({
      ...{ call, schema: view, document, operation },
      variables: variables ?? {},
    });
    const faults = variables === undefined ? [] : variableFaults;
    return {
      faults: faults.map((message) => refusedFault({ message, line: null, column: null })),
      checked: { kind: valid.kind, cost, decisions: refusals.map(({ decision }) => decision) },
    };
  }
}

/** Stands for the faults of a registered document, which would tell of the schema. */
const unfit: Refusal = {
  layer: 'documents',
  message: 'This document needs more than any task of this agent can have.',
  next: 'Find another one with `search_schema`.',
};

const refusedFault = ({ message, line, column }: DocumentFault): Refusal => ({
  layer: 'request',
  message: cutText(message, faultMax),
  next: documentAdvice(message) ?? 'Correct it, and send it again.',
  ...(line === null || column === null ? {} : { line, column }),
});

const refusedFor = ({ message, details }: BehalfError): Refusal => ({
  ...{ layer: 'request', message },
  next: details.hint ?? 'Ask for less at once.',
});
