import { ApolloServer, HeaderMap, type ApolloServerOptions, type HTTPGraphQLRequest } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import {
  getOperationAST,
  GraphQLError,
  Kind,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import type { Digest } from '../audit/kept-value.js';
import type { Logger } from '../core/logger.js';
import { Lru, type CacheState } from '../core/lru.js';
import type { Call } from '../graphql/execute/call.js';
import type { SchemaPolicy } from '../graphql/schema/schema-policy.js';
import { formatError } from '../graphql/errors.js';
import type { Executor } from '../graphql/execute/executor.js';
import type { DocumentCache } from '../graphql/plan/document-cache.js';
import { selectionsMax } from '../graphql/document/selection-counts.js';
import { documentTokensMax } from '../graphql/document/structure.js';
import { ceilingKey, type View, type Views } from '../graphql/view/views.js';
import { auditPlugin, type CallContext } from './audit-plugin.js';
import type { Commit, Committed } from './commit.js';
import { parametersIn } from './parameters.js';

type Gateway = NonNullable<ApolloServerOptions<CallContext>['gateway']>;

/** How many views are kept; each set of roles in use has one. */
const serversMax = 200;
/** Each error takes time in proportion to the document, and the first few are enough for a caller. */
const validationErrorsMax = 20;
/**
 * A parsed document takes about four times as much memory. From its second request on, a document is in the document
 * cache as well.
 */
const documentBytesMax = 8_000_000;
/** As Apollo Server itself counts it. */
const bytesOf = (document: DocumentNode): number => Buffer.byteLength(JSON.stringify(document));

/** A request that Apollo Server refused before any of its plugins saw it. It has no record yet. */
interface Unreached {
  readonly status: number;
  readonly errors: readonly GraphQLFormattedError[];
  readonly allow: string | undefined;
}

interface ApolloParts {
  /** Made from the shielded schema. */
  readonly views: Views;
  readonly policy: SchemaPolicy;
  readonly digest: Digest;
  readonly executor: Executor;
  readonly documentCache: DocumentCache;
  readonly commit: Commit;
  readonly logger: Logger;
}

/**
 * One Apollo Server for each ceiling, with the schema of that ceiling. Apollo parses, validates, suggests and answers
 * introspection, and sees nothing outside the ceiling.
 */
export class ApolloServers {
  /** Parsed and validated documents of all views; the key contains the schema of the view. */
  private readonly documents = new Lru<string, { readonly document: DocumentNode; readonly bytes: number }>(
    documentBytesMax,
    undefined,
    ({ bytes }) => bytes,
  );
  private readonly servers = new Lru<string, Promise<ApolloServer<CallContext>>>(serversMax, (server) => {
    server.then((dropped) => dropped.stop()).catch(() => undefined);
  });

  constructor(private readonly parts: ApolloParts) {}

  get caches(): Readonly<Record<string, CacheState>> {
    return { views: this.servers, parsed_documents: this.documents };
  }

  /** Runs the document of a body that may be anything. A safe request runs no mutation. */
  async answer(call: Call, body: unknown, isSafe: boolean): Promise<Committed | Unreached> {
    const server = await this.for(call.authority.ceiling);
    const context: CallContext = { call, outcome: { committed: undefined } };
    const { status, headers, ...sent } = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: isSafe ? safeRequest(body) : request(body),
      context: () => Promise.resolve(context),
    });
    const allow = headers.get('allow');
    const { committed } = context.outcome;
    if (committed !== undefined) return { ...committed, allow };
    const text = sent.body.kind === 'complete' ? sent.body.string : '{}';
    return { status: status ?? 500, errors: (JSON.parse(text) as Pick<Unreached, 'errors'>).errors, allow };
  }

  /** The server for a ceiling, made at its first use. */
  private for(ceiling: ReadonlySet<string>): Promise<ApolloServer<CallContext>> {
    const key = ceilingKey(ceiling);
    const known = this.servers.get(key);
    if (known !== undefined) return known;
    const server = this.start(this.parts.views.of(ceiling));
    this.servers.set(key, server);
    server.catch(() => {
      this.servers.delete(key);
    });
    return server;
  }

  async stop(): Promise<void> {
    const servers = await Promise.all(this.servers.values());
    await Promise.all(servers.map((server) => server.stop()));
  }

  private async start(view: View): Promise<ApolloServer<CallContext>> {
    const server = new ApolloServer<CallContext>({
      gateway: this.gateway(view),
      introspection: true,
      csrfPrevention: { requestHeaders: ['authorization'] },
      allowBatchedHttpRequests: false,
      persistedQueries: false,
      includeStacktraceInErrorResponses: false,
      stopOnTerminationSignals: false,
      nodeEnv: 'production',
      parseOptions: { maxTokens: documentTokensMax },
      maxRecursiveSelections: selectionsMax,
      validationOptions: { maxErrors: validationErrorsMax },
      documentStore: {
        get: (key) => Promise.resolve(this.documents.get(key)?.document),
        set: (key, document) => {
          this.documents.set(key, { document, bytes: bytesOf(document) });
          return Promise.resolve();
        },
        delete: (key) => {
          this.documents.delete(key);
          return Promise.resolve();
        },
      },
      formatError,
      logger: quietLogger(this.parts.logger),
      plugins: [
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginInlineTraceDisabled(),
        ApolloServerPluginLandingPageDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
        ApolloServerPluginUsageReportingDisabled(),
        auditPlugin(this.parts.policy, this.parts.digest, this.parts.commit),
      ],
    });
    await server.start();
    return server;
  }

  /** Apollo's interface for a custom executor; nothing is federated here. */
  private gateway(view: View): Gateway {
    const { executor, documentCache } = this.parts;
    return {
      onSchemaLoadOrUpdate: (callback) => {
        callback({ apiSchema: view.schema, coreSupergraphSdl: '' });
        return () => undefined;
      },
      load: () =>
        Promise.resolve({
          executor: async ({ context, document, request }) => {
            const operation = getOperationAST(document, request.operationName);
            // Apollo Server reports this as the client's error.
            if (operation === null || operation === undefined) return { errors: [noOperation()] };
            // Without the root type, Apollo has not validated the operation.
            if (hasRoots(view.schema, document)) documentCache.note(request.query ?? '', document, view.key);
            const { call } = context as unknown as CallContext;
            const { refused = [], ...result } = await executor.run({
              call,
              schema: view.schema,
              document,
              operation,
              variables: request.variables ?? {},
            });
            // Added when the response is made: Apollo Server takes ten times as long for each error.
            call.refused = refused;
            return result;
          },
        }),
      stop: () => Promise.resolve(),
    };
  }
}

/**
 * A page of another origin cannot make a browser send this header without permission, and nothing relies on cookies.
 */
const headers = new HeaderMap([
  ['authorization', 'known'],
  ['content-type', 'application/json'],
]);

const request = (body: unknown): HTTPGraphQLRequest => ({ method: 'POST', headers, search: '', body });

/** These parameters are text. The others are JSON, so that a string in place of an object stays a string. */
const textParameters: ReadonlySet<string> = new Set(['query', 'operationName']);

/** As the search part of a URL. */
function safeRequest(body: unknown): HTTPGraphQLRequest {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parametersIn(body))) {
    if (value === undefined) continue;
    search.set(name, typeof value === 'string' && textParameters.has(name) ? value : JSON.stringify(value));
  }
  return { method: 'GET', headers, search: search.toString(), body: undefined };
}

const hasRoots = (schema: GraphQLSchema, { definitions }: DocumentNode): boolean =>
  definitions.every(
    (node) => node.kind !== Kind.OPERATION_DEFINITION || Boolean(schema.getRootType(node.operation)),
  );

const noOperation = (): GraphQLError =>
  new GraphQLError(
    '`operationName` names no operation of this document, or is missing where it has several.',
  );

/** Apollo's notes about start and stop are left out; its warnings and errors go to the project's log. */
const quietLogger = (logger: Logger): NonNullable<ApolloServerOptions<CallContext>['logger']> => ({
  debug: () => undefined,
  info: () => undefined,
  warn: (message: unknown) => {
    logger.warn({ from: 'apollo' }, String(message));
  },
  error: (message: unknown) => {
    logger.error({ from: 'apollo' }, String(message));
  },
});
