import type { GraphQLSchema } from 'graphql';
import type { Authority } from '../authority/authority.js';
import { isNameable } from '../authority/explain.js';
import type { Scope } from '../authority/scope.js';
import { notFound } from '../core/errors.js';
import type { TrustedDocuments } from '../delegation/trusted-documents.js';
import type { Call } from '../graphql/execute/call.js';
import type { DocumentTool, DocumentTools, ReachableDocument } from '../graphql/guide/document-tools.js';
import {
  documentEntry,
  findDocuments,
  SchemaSearch,
  type SchemaHits,
} from '../graphql/guide/schema-search.js';
import { scopeStateOf, type Annotations } from '../graphql/view/annotate.js';
import type { Connection } from '../store/sql/connection.js';
import { UnknownTool } from './answer.js';
import { DocumentCheck, type DocumentCheckParts } from './document-report.js';
import type { GuideRequest, OperationRequest } from './operation-request.js';
import { ownRecord } from './own-record.js';
import { isRecord, parametersIn } from './parameters.js';
import { argumentsOf } from './question-record.js';
import { reportRefusals } from './refusal-report.js';
import { reportScopes } from './scope-report.js';
import { namesFault, withDefaults } from './tool-input.js';

/** Tools that do not depend on registered documents. */
const fixedToolNames = [
  'ask_for_access',
  'explain_refusal',
  'mutate',
  'query',
  'search_knowledge',
  'search_schema',
  'validate',
  'whoami',
] as const;
export type FixedTool = (typeof fixedToolNames)[number];

/** The tools of which some call could be allowed now, by live rights. Callers with equal rights get equal values. */
export interface Toolset {
  readonly fixed: readonly FixedTool[];
  /** Registered documents, the first by name. */
  readonly registered: readonly DocumentTool[];
}

export const isFixedTool = (name: string): name is FixedTool =>
  (fixedToolNames as readonly string[]).includes(name);

/** Registered documents that are tools; others are found by search and run by their names. */
const registeredMax = 20;

interface GuideParts extends DocumentCheckParts {
  readonly documents: TrustedDocuments;
  readonly documentTools: DocumentTools;
  readonly annotations: Annotations;
  /** For records of earlier operations. */
  readonly connection: Connection;
}

const knowledgeSearch = 'Query.search';

/** Answers what a caller may do, from the caller's own view and live rights. */
export class Guide {
  private readonly searches = new WeakMap<GraphQLSchema, SchemaSearch>();

  private readonly mutationScopes: readonly Scope[];
  private readonly documentCheck: DocumentCheck;

  constructor(private readonly parts: GuideParts) {
    const mutations = [...parts.policy.scopes].filter(([at]) => /^Mutation\.\w+$/.test(at));
    this.documentCheck = new DocumentCheck(parts);
    this.mutationScopes = [...new Set(mutations.map(([, scope]) => scope))];
  }

  async answer(call: Call, request: GuideRequest): Promise<object> {
    const { authority } = call;
    call.variables = argumentsOf(request, this.parts.digest);
    switch (request.name) {
      case 'session.connect':
        return {};
      case 'tools.list':
        return this.toolset(authority);
      case 'schema.search':
        return this.search(authority, request.words, request.from);
      case 'document.check':
        return this.documentCheck.report(call, this.wholeViewOf(authority), request.body);
      case 'document.explain':
        return this.documentCheck.refusals(call, this.wholeViewOf(authority), request.body);
      case 'operation.explain':
        return reportRefusals(authority, await ownRecord(this.parts.connection, call, request.operationId));
      case 'scopes.explain':
        return reportScopes(authority, request.scopes);
    }
  }

  async toolset(authority: Authority): Promise<Toolset> {
    const documents = await this.reachableDocuments(authority);
    const usable = documents.filter(({ isUsable }) => isUsable).map(({ tool }) => tool);
    return {
      fixed: fixedToolNames.filter((tool) => this.isUsable(authority, tool, documents)),
      registered: usable.filter(({ name }) => !isFixedTool(name)).slice(0, registeredMax),
    };
  }

  private async reachableDocuments(authority: Authority): Promise<readonly ReachableDocument[]> {
    const view = this.viewOf(authority);
    const documents = await this.parts.documents.list(authority);
    return documents.flatMap((row) => this.parts.documentTools.of(row, authority, view) ?? []);
  }

  /**
   * The request as its tool takes it: a variable that is null counts as left out where it has a default. Throws
   * `UnknownTool` where the tool is none of the caller's toolset, and `BAD_USER_INPUT` where a variable of a registered
   * document is missing or is none of its variables.
   */
  async requireTool(authority: Authority, wanted: OperationRequest): Promise<OperationRequest> {
    const { tool: name } = wanted;
    const needsFree = wanted.kind === 'document' && wanted.needsFreeDocuments === true;
    if (needsFree && authority.documents === 'registered') throw notFound('A resource with this address');
    if (name === undefined || this.certainlyOffers(authority, name)) return wanted;
    const { fixed, registered } = await this.toolset(authority);
    if (isFixedTool(name) && fixed.includes(name)) return wanted;
    const tool = isFixedTool(name) ? undefined : registered.find((one) => one.name === name);
    if (tool === undefined) throw new UnknownTool();
    if (wanted.kind !== 'document') return wanted;
    const { variables } = parametersIn(wanted.body);
    const input = withDefaults(tool.inputSchema, isRecord(variables) ? variables : {});
    const fault = namesFault(name, tool.inputSchema, input);
    if (fault !== undefined) throw fault;
    return { ...wanted, body: { ...parametersIn(wanted.body), variables: input } };
  }

  /** Whether the tool is of the caller's toolset, as far as no registered document has to be looked up. */
  certainlyOffers(authority: Authority, tool: string): boolean {
    return isFixedTool(tool) && this.isUsable(authority, tool, []);
  }

  private isUsable(authority: Authority, tool: FixedTool, reachable: readonly ReachableDocument[]): boolean {
    const isFree = authority.documents !== 'registered';
    const canRun = (kind: DocumentTool['kind']): boolean =>
      reachable.some((document) => document.isUsable && document.tool.kind === kind);
    switch (tool) {
      case 'search_schema':
      case 'validate':
        return isFree || reachable.length > 0;
      case 'query':
        return isFree || canRun('query');
      case 'mutate':
        return isFree ? this.mutationScopes.some((scope) => authority.allows(scope)) : canRun('mutation');
      case 'search_knowledge':
        return isFree && this.allows(authority, knowledgeSearch);
      default:
        return true;
    }
  }

  private allows(authority: Authority, coordinate: string): boolean {
    const scope = this.parts.policy.scopes.get(coordinate);
    return scope !== undefined && authority.allows(scope);
  }

  /** The caller's view without what its person lacks: nobody could give it for a task. */
  private viewOf(authority: Authority): GraphQLSchema {
    const shown = new Set([...authority.ceiling].filter((scope) => isNameable(authority, scope)));
    return this.parts.annotations.marked(shown, scopeStateOf(authority));
  }

  /** The view in which the caller's documents run. */
  private wholeViewOf(authority: Authority): GraphQLSchema {
    return this.parts.annotations.marked(authority.ceiling, scopeStateOf(authority));
  }

  /** A caller that may send registered documents alone has no use for the schema behind them. */
  private async search(authority: Authority, words: string, from: number): Promise<SchemaHits> {
    const stateOf = scopeStateOf(authority);
    const reachable = await this.reachableDocuments(authority);
    const documents = reachable.map((document) => documentEntry(document, stateOf));
    if (authority.documents === 'registered') return findDocuments(words, from, documents);
    const view = this.viewOf(authority);
    const search = this.searches.get(view) ?? new SchemaSearch(view);
    this.searches.set(view, search);
    return search.find(words, from, documents);
  }
}
