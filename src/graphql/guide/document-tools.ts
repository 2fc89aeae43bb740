import {
  getNamedType,
  getOperationAST,
  isInputObjectType,
  Kind,
  parse,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ArgumentNode,
  type DocumentNode,
  type GraphQLSchema,
  type ObjectFieldNode,
} from 'graphql';
import { cutText } from '../../core/cut-text.js';
import type { Authority } from '../../authority/authority.js';
import type { Scope } from '../../authority/scope.js';
import { checkDocument } from '../document/document-check.js';
import { documentTokensMax } from '../document/structure.js';
import type { Alternatives } from './alternatives.js';
import { sufficientScopes } from './sufficient-scopes.js';
import { unmarked } from '../view/annotate.js';
import { variablesSchema, type VariablesSchema } from './variables-schema.js';

/** A registered document as a tool. */
export interface DocumentTool {
  readonly name: string;
  readonly kind: 'query' | 'mutation';
  readonly description: string;
  readonly inputSchema: VariablesSchema;
}

/** A registered document that a task of the caller's agent could use for the caller's person. */
export interface ReachableDocument {
  readonly tool: DocumentTool;
  /** Whether some call of it could be allowed now. */
  readonly isUsable: boolean;
  /** The scopes of all fields and inputs that it names. */
  readonly scopes: readonly Scope[];
}

interface Registered {
  readonly name: string;
  readonly hash: string;
  readonly source: string;
}

/** A registered document as one view shows it. */
interface Known {
  readonly tool: Omit<DocumentTool, 'name'>;
  readonly sufficient: Alternatives;
  readonly scopes: ReachableDocument['scopes'];
}

/** Characters of the description of a tool: a model reads all of them with each list. */
const descriptionMax = 400;

/** Makes tools of registered documents. */
export class DocumentTools {
  private readonly known = new WeakMap<GraphQLSchema, Map<string, Known | undefined>>();

  constructor(private readonly scopes: ReadonlyMap<string, Scope>) {}

  /**
   * The document as the view shows it; undefined where it is not valid there, and where no scope would make it useful.
   * @param view the caller's own
   */
  of(document: Registered, authority: Authority, view: GraphQLSchema): ReachableDocument | undefined {
    const known = this.read(document, view);
    if (known === undefined) return undefined;
    const { tool, scopes, sufficient } = known;
    const isHeld = (scope: Scope): boolean => authority.allows(scope);
    const isUsable = sufficient.some((enough) => [...enough].every(isHeld));
    if (sufficient.length === 0 || (!isUsable && scopes.every(isHeld))) return undefined;
    return { tool: { name: document.name, ...tool }, isUsable, scopes };
  }

  /** Undefined for a document that is not valid in this view. */
  private read({ hash, source }: Registered, view: GraphQLSchema): Known | undefined {
    let documents = this.known.get(view);
    if (documents === undefined) this.known.set(view, (documents = new Map<string, Known | undefined>()));
    if (!documents.has(hash)) documents.set(hash, this.readNew(source, view));
    return documents.get(hash);
  }

  private readNew(source: string, view: GraphQLSchema): Known | undefined {
    const checked = checkDocument(view, source);
    if ('faults' in checked) return undefined;
    const document = parse(source, { maxTokens: documentTokensMax });
    const operation = getOperationAST(document);
    if (operation === null || operation === undefined) return undefined;
    const root = view.getRootType(operation.operation);
    const rootFields = [...checked.names].filter(
      (name) => name.startsWith(`${root?.name ?? ''}.`) && !name.endsWith(')'),
    );
    const fields = root?.getFields() ?? {};
    const texts = rootFields.map((name) => unmarked(fields[name.split('.')[1] ?? '']?.description ?? ''));
    return {
      tool: {
        kind: checked.kind,
        description: commentOf(source) ?? cutText(texts.join(' ').trim(), descriptionMax),
        inputSchema: variablesSchema(view, operation, variableTexts(view, document)),
      },
      sufficient: sufficientScopes(view, document, operation, this.scopes),
      scopes: [...new Set([...checked.names].flatMap((name) => this.scopes.get(name) ?? []))],
    };
  }
}

/** For each variable that is the whole value of an argument or input field, the description of the first. */
function variableTexts(schema: GraphQLSchema, document: DocumentNode): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  const info = new TypeInfo(schema);
  const note = ({ value }: ArgumentNode | ObjectFieldNode, description: string | null | undefined): void => {
    if (value.kind !== Kind.VARIABLE || texts.has(value.name.value) || !description) return;
    texts.set(value.name.value, description);
  };
  visit(
    document,
    visitWithTypeInfo(info, {
      Argument: (node) => {
        note(node, info.getArgument()?.description);
      },
      ObjectField: (node) => {
        const parent = getNamedType(info.getParentInputType());
        const fields = isInputObjectType(parent) ? parent.getFields() : {};
        note(node, fields[node.name.value]?.description);
      },
    }),
  );
  return texts;
}

/** The comment with which a document begins, as one line. */
function commentOf(source: string): string | undefined {
  const lines = source.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const end = lines.findIndex((line) => !line.startsWith('#'));
  const text = lines
    .slice(0, end === -1 ? lines.length : end)
    .map((line) => line.replace(/^#+ ?/, ''))
    .join(' ')
    .trim();
  return text === '' ? undefined : cutText(text, descriptionMax);
}
