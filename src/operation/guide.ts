import { getOperationAST, parse, type GraphQLSchema } from 'graphql';
import type { Authority } from '../authority/authority.js';
import { refusalError } from '../authority/explain.js';
import type { Scope } from '../authority/scope.js';
import { badInput } from '../core/errors.js';
import type { TrustedDocuments } from '../delegation/trusted-documents.js';
import { checkDocument } from '../graphql/document/document-check.js';
import { documentTokensMax } from '../graphql/document/structure.js';
import type { Call } from '../graphql/execute/call.js';
import type { Executor } from '../graphql/execute/executor.js';
import type { DocumentTool, DocumentTools } from '../graphql/guide/document-tools.js';
import {
  documentEntry,
  findDocuments,
  SchemaSearch,
  type SchemaHits,
} from '../graphql/guide/schema-search.js';
import type { Denied } from '../graphql/rules/rule-map.js';
import { scopeStateOf, type Annotations } from '../graphql/view/annotate.js';
import { isRecord, parametersIn } from './parameters.js';
import { resolveDocument, type ResolveParts } from './resolve.js';

/** A question about what the caller may do. */
export type GuideRequest =
  | { readonly name: 'session.connect' }
  | { readonly name: 'tools.list' }
  | { readonly name: 'schema.search'; readonly words: string; readonly from: number }
  | { readonly name: 'document.check'; readonly body: unknown }
  | { readonly name: 'scopes.explain'; readonly scopes: readonly Scope[] };

/** Tools that do not depend on registered documents. */
const fixedTools = [
  ...(['ask_for_access', 'explain_refusal', 'mutate', 'query'] as const),
  ...(['search_knowledge', 'search_schema', 'validate', 'whoami'] as const),
] as const;
export type FixedTool = (typeof fixedTools)[number];

/** The tools of which some call could be allowed now, by live rights. Callers with equal rights get equal values. */
export interface Toolset {
  readonly fixed: readonly FixedTool[];
  /** Registered documents, the first by name. */
  readonly registered: readonly DocumentTool[];
}

export const isFixedTool = (name: string): name is FixedTool =>
  (fixedTools as readonly string[]).includes(name);

/** Registered documents that are tools; others are found by search and run by their names. */
const registeredMax = 20;

/** The decisions about a document, which does not run. */
interface DocumentReport {
  readonly valid: boolean;
  readonly faults: readonly {
    readonly message: string;
    readonly line: number | null;
    readonly column: number | null;
  }[];
  readonly kind?: 'query' | 'mutation';
  readonly cost?: { readonly requested: number; readonly max: number };
  readonly refusals?: readonly Refusal[];
}

/** How things stand with one scope. */
interface ScopeReport {
  readonly scope: Scope;
  readonly held: boolean;
  readonly layer: string | null;
  readonly message: string;
  readonly hint: string | null;
}

export interface ScopesReport {
  readonly scopes: readonly ScopeReport[];
  /** The person who can hand over more. */
  readonly person: string;
}

/** One reason for which coordinates of a document are refused. */
interface Refusal {
  /** The first of them. */
  readonly coordinates: readonly string[];
  readonly message: string;
  readonly missingScopes: readonly Scope[];
  readonly layer: string;
  readonly needsApproval: boolean;
  readonly hint: string | null;
}

interface GuideParts extends ResolveParts {
  readonly documents: TrustedDocuments;
  readonly documentTools: DocumentTools;
  readonly annotations: Annotations;
  readonly executor: Executor;
  /** The scope of each coordinate. */
  readonly scopes: ReadonlyMap<string, Scope>;
}

/** Coordinates that are named of one refusal. */
const coordinatesMax = 5;
/** Characters of one fault: a message may repeat what was sent. */
const faultMax = 500;
/** Scopes that one question may name. */
const scopesMax = 50;
const scopeLengthMax = 200;
const knowledgeSearch = 'Query.search';

/** Answers what a caller may do, from the caller's own view and live rights. */
export class Guide {
  private readonly searches = new WeakMap<GraphQLSchema, SchemaSearch>();

  private readonly mutationScopes: readonly Scope[];

  constructor(private readonly parts: GuideParts) {
    const mutations = [...parts.scopes].filter(([at]) => /^Mutation\.\w+$/.test(at));
    this.mutationScopes = [...new Set(mutations.map(([, scope]) => scope))];
  }

  async answer(
    call: Call,
    request: GuideRequest,
  ): Promise<Toolset | SchemaHits | DocumentReport | ScopesReport | object> {
    switch (request.name) {
      case 'session.connect':
        return {};
      case 'tools.list':
        return this.toolset(call.authority);
      case 'schema.search':
        return this.search(call.authority, request.words, request.from);
      case 'document.check':
        return this.check(call, request.body);
      case 'scopes.explain':
        return this.explain(call.authority, request.scopes);
    }
  }

  async toolset(authority: Authority): Promise<Toolset> {
    const usable = await this.usableDocuments(authority);
    return {
      fixed: fixedTools.filter((tool) => this.isUsable(authority, tool, usable)),
      registered: usable.filter(({ name }) => !isFixedTool(name)).slice(0, registeredMax),
    };
  }

  private async usableDocuments(authority: Authority): Promise<readonly DocumentTool[]> {
    const view = this.viewOf(authority);
    const documents = await this.parts.documents.list(authority);
    return documents.flatMap((row) => this.parts.documentTools.of(row, authority, view) ?? []);
  }

  /** Whether the tool is one of the caller's toolset. */
  async offers(authority: Authority, tool: string): Promise<boolean> {
    if (this.certainlyOffers(authority, tool)) return true;
    const { fixed, registered } = await this.toolset(authority);
    return isFixedTool(tool) ? fixed.includes(tool) : registered.some(({ name }) => name === tool);
  }

  /** As `offers`, as far as no registered document has to be looked up. */
  certainlyOffers(authority: Authority, tool: string): boolean {
    return isFixedTool(tool) && this.isUsable(authority, tool, []);
  }

  private isUsable(authority: Authority, tool: FixedTool, registered: readonly DocumentTool[]): boolean {
    const isFree = authority.documents !== 'registered';
    switch (tool) {
      case 'search_schema':
      case 'validate':
        return isFree || registered.length > 0;
      case 'query':
        return isFree || registered.some(({ kind }) => kind === 'query');
      case 'mutate':
        return isFree
          ? this.mutationScopes.some((scope) => authority.allows(scope))
          : registered.some(({ kind }) => kind === 'mutation');
      case 'search_knowledge':
        return isFree && this.allows(authority, knowledgeSearch);
      default:
        return true;
    }
  }

  private allows(authority: Authority, coordinate: string): boolean {
    const scope = this.parts.scopes.get(coordinate);
    return scope !== undefined && authority.allows(scope);
  }

  /** The caller's view without what its person lacks: nobody could give it for a task. */
  private viewOf(authority: Authority): GraphQLSchema {
    const isForPerson = (scope: Scope): boolean => {
      const decision = authority.decide(scope);
      return decision.allow || decision.layer !== 'person';
    };
    const shown = new Set([...authority.ceiling].filter(isForPerson));
    return this.parts.annotations.marked(shown, scopeStateOf(authority));
  }

  /** A caller that may send registered documents alone has no use for the schema behind them. */
  private async search(authority: Authority, words: string, from: number): Promise<SchemaHits> {
    const documents = (await this.usableDocuments(authority)).map(documentEntry);
    if (authority.documents === 'registered') return findDocuments(words, from, documents);
    const view = this.viewOf(authority);
    const search = this.searches.get(view) ?? new SchemaSearch(view);
    this.searches.set(view, search);
    return search.find(words, from, documents);
  }

  /** A scope that the caller's roles do not reach, or that its person lacks, is answered as one that there is not. */
  private explain(authority: Authority, scopes: readonly Scope[]): ScopesReport {
    const asked = [...new Set(scopes)];
    if (asked.length > scopesMax || asked.some((scope) => scope.length > scopeLengthMax))
      throw badInput(`Name up to ${String(scopesMax)} scopes.`, 'scopes');
    return {
      scopes: asked.map((scope) => {
        const decision = authority.decide(scope);
        if (decision.allow)
          return { scope, held: true, layer: null, message: 'This task includes it.', hint: null };
        if (decision.reason === 'hidden' || decision.layer === 'person')
          return {
            scope,
            held: false,
            layer: null,
            message: 'No task of this agent can have it.',
            hint: null,
          };
        const { message, details } = refusalError(authority, decision);
        const { layer = null, hint = null } = details;
        return { scope, held: false, layer, message, hint };
      }),
      person: authority.chain.person.displayName,
    };
  }

  private async check(call: Call, body: unknown): Promise<DocumentReport> {
    const resolved = parametersIn(await resolveDocument(call, this.parts, body));
    const { query: source, variables } = resolved;
    if (typeof source !== 'string')
      throw badInput('Give a `document`, or the `documentId` of a registered one.', 'document');
    if (variables !== undefined && variables !== null && !isRecord(variables))
      throw badInput('`variables` is an object.', 'variables');
    const view = this.viewOf(call.authority);
    const checked = checkDocument(view, source);
    if ('faults' in checked)
      return {
        valid: false,
        faults: checked.faults.map((fault) => ({ ...fault, message: fault.message.slice(0, faultMax) })),
      };
    const document = parse(source, { maxTokens: documentTokensMax });
    const operation = getOperationAST(document);
    if (operation === null || operation === undefined)
      throw new Error('A checked document has one operation.');
    const { cost, refusals, variableFaults } = this.parts.executor.check({
      ...{ call, schema: view, document, operation },
      variables: variables ?? {},
    });
    const faults = variables === undefined ? [] : variableFaults;
    return {
      valid: faults.length === 0,
      faults: faults.map((message) => ({ message: message.slice(0, faultMax), line: null, column: null })),
      kind: checked.kind,
      cost,
      refusals: grouped(refusals),
    };
  }
}

/** One refusal for each scope: a document often names a scope a hundred times. */
function grouped(denied: readonly Denied[]): readonly Refusal[] {
  const firsts = new Map(denied.toReversed().map((one) => [one.decision.scope, one]));
  return [...firsts].map(([scope, first]) => {
    const group = denied.filter(({ decision }) => decision.scope === scope);
    const { missingScopes = [], layer = 'delegation', hint = null } = first.error.details;
    return {
      coordinates: [...new Set(group.map(({ decision }) => decision.coordinate))].slice(0, coordinatesMax),
      message: first.error.message,
      missingScopes,
      layer,
      needsApproval: first.decision.reason === 'needs_approval',
      hint,
    };
  });
}
