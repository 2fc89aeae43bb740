import { keyedDigest, sha256 } from '../core/digest.js';
import type { CacheState } from '../core/lru.js';
import { TextSeal } from '../core/text-seal.js';
import { readEpoch } from '../delegation/authority-epoch.js';
import { TrustedDocuments } from '../delegation/trusted-documents.js';
import { ResolverContexts } from '../delegation/resolver-contexts.js';
import { Annotations } from '../graphql/view/annotate.js';
import { CompiledOperations } from '../graphql/plan/compiled-operations.js';
import { Executor, type Execution } from '../graphql/execute/executor.js';
import { DocumentCache } from '../graphql/plan/document-cache.js';
import { DocumentTools } from '../graphql/guide/document-tools.js';
import { Structures } from '../graphql/document/structure.js';
import { RecentSignIn } from '../graphql/rules/recent-sign-in.js';
import { Admission } from '../operation/admission.js';
import { ApolloServers } from '../operation/apollo.js';
import { Callers } from '../operation/callers.js';
import { Commit } from '../operation/commit.js';
import { FastPath } from '../operation/fast-path.js';
import { Guide } from '../operation/guide.js';
import { OperationGate } from '../operation/gate.js';
import { makeObserve } from '../operation/observe.js';
import { Rejections } from '../operation/rejections.js';
import { ToolsWatch } from '../operation/tools-watch.js';
import type { Tracing } from '../operation/tracing.js';
import { ServerKeys } from '../store/sql/server-keys.js';
import type { ComposedAuthority } from './authority.js';
import type { Basics } from './basics.js';
import type { ComposedSchema } from './schema.js';

/** The gate, and the parts of it that are observed or stopped from outside. */
interface ComposedGate {
  readonly gate: OperationGate;
  readonly toolsWatch: ToolsWatch;
  readonly admission: Admission;
  /** Counts of requests without a known caller, and of requests refused for load. */
  readonly tallies: readonly Rejections[];
  readonly caches: () => Readonly<Record<string, CacheState>>;
  stop(): Promise<void>;
}

export async function composeGate(
  basics: Basics,
  schema: ComposedSchema,
  { authorities, commitGate, recorder, oauth }: ComposedAuthority,
  { tracing, execution }: { readonly tracing: Tracing | undefined; readonly execution: Execution },
): Promise<ComposedGate> {
  const { config, database, clock, ids, logger, metrics } = basics;
  const { policy, ruleMap, columnSelections, plain, views } = schema;
  const { BEHALF_PAGE_SIZE_MAX: pageSizeMax, BEHALF_OPERATION_COST_MAX: costMax } = config;
  const { BEHALF_ANSWER_BYTES_MAX: answerBytesMax } = config;
  const keys = await ServerKeys.read(database.read);
  const digest = keyedDigest(keys.digests);
  const contexts = new ResolverContexts({
    database,
    types: schema.rowTypes,
    clock,
    ids,
    scopeOf: schema.scopeOf,
    pageSizeMax,
    costMax,
    publicUrl: config.publicUrl,
    allowHttp: config.BEHALF_ALLOW_HTTP,
    staticSecrets: config.BEHALF_STATIC_SECRETS === 'on',
    seal: new TextSeal(config.BEHALF_COOKIE_KEYS ?? [keys.cursors]),
    digest,
  });
  const compiled = new CompiledOperations();
  const annotations = new Annotations(views);
  const executor = new Executor({
    database,
    contexts,
    commitGate,
    planParts: {
      plain,
      policy,
      ruleMap,
      columnSelections,
      compiled,
      pageSizeMax,
      digest,
    },
    annotations,
    costMax,
    answerBytesMax,
    execution,
    recentSignIn: new RecentSignIn(policy, config.BEHALF_RECENT_SIGN_IN_SECONDS, clock),
  });
  const documentCache = new DocumentCache(schema.reach);
  const commit = new Commit(commitGate, logger, answerBytesMax);
  const apollo = new ApolloServers({
    views,
    policy,
    digest,
    executor,
    documentCache: documentCache,
    commit,
    logger,
  });
  const structures = new Structures((source) => documentCache.has(source));
  const documents = new TrustedDocuments(database.read, schema.rules);
  const rejections = new Rejections(commitGate, clock, ids, logger, () => {
    metrics.rejected('unauthenticated');
  });
  const refusedForLoad = new Rejections(commitGate, clock, ids, logger);
  const admission = new Admission(
    config.BEHALF_OPERATIONS_AT_ONCE,
    config.BEHALF_OPERATIONS_WAITING,
    (reason) => {
      metrics.rejected(reason);
    },
  );
  const limits = { rows: config.BEHALF_ROWS_PER_OPERATION_MAX, seconds: config.BEHALF_OPERATION_SECONDS };
  const callers = new Callers({
    ...{ oauth, authorities, clock, ids, limits },
    issuer: config.publicUrl,
    connection: database.read,
  });
  const guide = new Guide({
    ...{ documents, structures, annotations, executor, policy, digest, connection: database.read },
    documentTools: new DocumentTools(policy.scopes),
  });
  const gate = new OperationGate({
    callers,
    admission,
    rejections,
    refusedForLoad,
    recorder,
    commitGate,
    commit,
    documents,
    structures,
    fastPath: new FastPath(schema.shielded, executor, documentCache, commit),
    apollo,
    annotations,
    guide,
    observe: makeObserve(metrics, logger, tracing),
    ids,
    logger,
  });
  return {
    gate,
    toolsWatch: new ToolsWatch({
      version: async () => (await readEpoch(database.read)).version,
      toolsOf: async (caller) => {
        const authority = await callers.again(caller);
        const digest = sha256(JSON.stringify(await guide.toolset(authority)));
        return { digest, version: authority.version };
      },
      logger,
    }),
    admission,
    tallies: [rejections, refusedForLoad],
    caches: () => ({
      ...authorities.caches,
      ...apollo.caches,
      ...documentCache.caches,
      ...documents.caches,
      ...schema.rowTypes.caches,
      ...database.caches,
      ...oauth.caches,
      marked_schemas: annotations.kept,
      marked_schemas_told: schema.tellable.kept,
      checked_structures: structures.known,
      reaches: schema.reach.reaches,
      introspection: executor.introspection.kept,
      compiled_fields: compiled.kept,
      spent_budgets: commitGate.budgets.known,
      unknown_callers: rejections.tallied,
      refused_for_load: refusedForLoad.tallied,
    }),
    async stop() {
      await apollo.stop();
      await Promise.all([rejections.flush(), refusedForLoad.flush()]).catch((error: unknown) => {
        logger.error({ err: error }, 'the last rejected requests could not be recorded');
      });
    },
  };
}
