import { getOperationAST, parse, type GraphQLSchema } from 'graphql';
import type { Digest } from '../audit/kept-value.js';
import type { RecordedDecision } from '../audit/trail.js';
import type { Scope } from '../authority/scope.js';
import { badInput } from '../core/errors.js';
import { checkDocument } from '../graphql/document/document-check.js';
import { literalsOf } from '../graphql/document/literals.js';
import { redactorOf } from '../graphql/document/redact-variables.js';
import { documentTokensMax, variablesFault } from '../graphql/document/structure.js';
import type { Call } from '../graphql/execute/call.js';
import type { Executor } from '../graphql/execute/executor.js';
import type { SchemaPolicy } from '../graphql/schema/schema-policy.js';
import type { Denied } from '../graphql/rules/rule-map.js';
import { isRecord, parametersIn } from './parameters.js';
import { coordinatesMax, explainDecisions, knowsSchema, type Refusal } from './refusal-report.js';
import { noteDocument, resolveDocument, type ResolveParts } from './resolve.js';

/** The decisions about a document, which does not run. */
export interface DocumentReport {
  readonly valid: boolean;
  readonly faults: readonly Fault[];
  readonly kind?: 'query' | 'mutation';
  readonly cost?: { readonly requested: number; readonly max: number };
  readonly refusals?: readonly RefusedScope[];
}

/** Why a document would be refused. */
export interface DocumentRefusals {
  readonly refusals: readonly Refusal[];
  readonly person: string;
}

interface Fault {
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** One reason for which coordinates of a document are refused. */
interface RefusedScope {
  /** The first of them. */
  readonly coordinates?: readonly string[];
  readonly message: string;
  readonly missingScopes: readonly Scope[];
  readonly layer: string;
  readonly needsApproval: boolean;
  readonly next: string | null;
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

  /** @param view the caller's own */
  async report(call: Call, view: GraphQLSchema, body: unknown): Promise<DocumentReport> {
    const { faults, checked } = await this.check(call, view, body);
    if (checked === undefined) return { valid: false, faults };
    const { kind, cost, denied } = checked;
    return {
      valid: faults.length === 0,
      faults,
      kind,
      cost,
      refusals: grouped(denied, knowsSchema(call.authority)),
    };
  }

  /** As `report`, told as reasons with what to do next. */
  async refusals(call: Call, view: GraphQLSchema, body: unknown): Promise<DocumentRefusals> {
    const { faults, checked } = await this.check(call, view, body);
    const { denied = [], cost } = checked ?? {};
    const decisions = denied.map(({ decision }): RecordedDecision => decision);
    return {
      refusals: [
        ...faults.slice(0, 1).map(({ message }) => faulty(message)),
        ...(cost === undefined || cost.requested <= cost.max ? [] : [costly]),
        ...explainDecisions(call.authority, decisions),
      ],
      person: call.authority.chain.person.displayName,
    };
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
      return { faults: knowsSchema(call.authority) ? valid.faults.map(bounded) : [unfit] };
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
      faults: faults.map((message) => bounded({ message, line: null, column: null })),
      checked: { kind: valid.kind, cost, denied: refusals },
    };
  }
}

/** Stands for the faults of a registered document, which would tell of the schema. */
const unfit: Fault = {
  ...{ message: 'This document needs more than any task of this agent can have.', line: null, column: null },
};

const bounded = (fault: Fault): Fault => ({ ...fault, message: fault.message.slice(0, faultMax) });

const faulty = (message: string): Refusal => ({
  ...{ layer: 'request', message },
  next: 'Look for the right names and types with `search_schema`, then send it anew.',
});

const costly: Refusal = {
  layer: 'request',
  message: 'It asks for too much at once: its cost is above what is allowed.',
  next: 'Ask for smaller pages, fewer aliases or fewer levels.',
};

/** One refusal for each scope: a document often names a scope a hundred times. */
function grouped(denied: readonly Denied[], areNamed: boolean): readonly RefusedScope[] {
  const firsts = new Map(denied.toReversed().map((one) => [one.decision.scope, one]));
  return [...firsts].map(([scope, first]) => {
    const group = denied.filter(({ decision }) => decision.scope === scope);
    const { missingScopes = [], layer = 'delegation', hint = null } = first.error.details;
    const coordinates = [...new Set(group.map(({ decision }) => decision.coordinate))];
    return {
      ...(areNamed ? { coordinates: coordinates.slice(0, coordinatesMax) } : {}),
      message: first.error.message,
      missingScopes,
      layer,
      needsApproval: first.decision.reason === 'needs_approval',
      next: hint,
    };
  });
}
