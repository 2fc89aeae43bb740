import type { Authority } from '../authority/authority.js';
import { isNameable } from '../authority/explain.js';
import { sessionScope } from '../authority/scope.js';
import { BehalfError } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Logger } from '../core/logger.js';
import type { AuthRecords } from '../delegation/auth-records.js';
import type { CommitGate } from '../delegation/commit-gate.js';
import { scopeStateOf, type Annotations } from '../graphql/view/annotate.js';
import type { Call } from '../graphql/execute/call.js';
import { recordedError } from '../graphql/execute/finished-call.js';
import { DpopRefused } from '../oauth/dpop.js';
import { statusOfError } from '../graphql/errors.js';
import { ClientGone, type Admission } from './admission.js';
import { refusal, tellable, type Answer } from './answer.js';
import type { ApolloServers } from './apollo.js';
import { RefusedCaller, type Caller, type Callers } from './callers.js';
import { responseOf, withOperationId, type Commit, type Committed } from './commit.js';
import type { FastPath } from './fast-path.js';
import type { Guide } from './guide.js';
import { prepare, type GuideRequest, type OperationRequest, type Unread } from './operation-request.js';
import type { Observe } from './observe.js';
import { parametersIn } from './parameters.js';
import type { Rejections } from './rejections.js';
import { noteDocument, resolveDocument, type ResolveParts } from './resolve.js';

interface GateParts extends ResolveParts {
  readonly callers: Callers;
  readonly admission: Admission;
  /** Counts requests without a known caller. */
  readonly rejections: Rejections;
  /** Counts requests that were refused for load. */
  readonly refusedForLoad: Rejections;
  readonly recorder: AuthRecords;
  readonly commitGate: CommitGate;
  readonly commit: Commit;
  readonly fastPath: FastPath;
  readonly apollo: ApolloServers;
  readonly annotations: Annotations;
  readonly guide: Guide;
  readonly observe: Observe;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** A recognised caller whose request has no answer yet. */
export interface Arrival {
  readonly caller: Caller;
  /** Replaced where a stale authority had to be read again. */
  call: Call;
  isObserved?: boolean;
}

/** No GraphQL operation can have this name, so the records of schema requests can be found by it. */
const schemaOperation = 'schema.graphql';

/**
 * The one way to run an operation. It admits the caller, resolves the document, runs it and writes its record. It
 * always gives an answer, and only after the record. It knows no transport.
 */
export class OperationGate {
  constructor(private readonly parts: GateParts) {}

  async run(caller: Caller, wanted: OperationRequest): Promise<Answer> {
    const arrival = await this.admit(caller);
    return isAnswer(arrival) ? arrival : this.answer(arrival, wanted);
  }

  /**
   * The first half of `run`, for a transport that knows the caller before it has read the request. Refuses for load
   * before any work, then recognises the caller.
   * @param mayBeOptimistic false where the authority must be checked first
   */
  admit(caller: Caller, mayBeOptimistic = true): Arrival | Answer | Promise<Arrival | Answer> {
    try {
      this.parts.admission.check();
    } catch (error) {
      return this.refuseForLoad(caller, this.parts.ids.next(), error);
    }
    const call = mayBeOptimistic ? this.parts.callers.optimistic(caller) : undefined;
    return call === undefined ? this.recognise(caller) : { caller, call };
  }

  /**
   * The second half of `run`. It waits for its turn first. The turn ends with the answer, so that a slow reader holds
   * up no other caller.
   */
  async answer(arrival: Arrival, wanted: OperationRequest): Promise<Answer> {
    const { caller, call } = arrival;
    let endTurn: (() => void) | undefined;
    try {
      const turn = this.parts.admission.enter(caller.line);
      endTurn = turn instanceof Promise ? await turn : turn;
    } catch (error) {
      call.markRecorded();
      return this.refuseForLoad(caller, call.id, error);
    }
    call.marks.admitted = performance.now();
    try {
      return await this.perform(arrival, wanted);
    } catch (error) {
      return await this.refused(arrival.call, error);
    } finally {
      endTurn();
      this.observe(arrival);
    }
  }

  /** Refuses a request that a transport could not read. The refusal has a record too. */
  async refuse(
    arrival: Arrival,
    error: unknown,
    { status, wanted, mcp, isFree }: Unread = {},
  ): Promise<Answer> {
    arrival.call.mcp = mcp;
    if (isFree === true) arrival.call.isFree = true;
    if (wanted === 'schema') arrival.call.operationName = schemaOperation;
    try {
      return await this.refused(arrival.call, error, status);
    } finally {
      this.observe(arrival);
    }
  }

  private async refused(call: Call, error: unknown, status?: number): Promise<Answer> {
    const shown = tellable(error);
    if (shown.code === 'INTERNAL')
      this.parts.logger.error({ operationId: call.id, err: error }, 'request failed');
    if (call.isRecorded) return refusal(shown, call.id);
    // False makes the commit gate check the authority and write the record in any case.
    call.isOptimistic = false;
    const lost = await this.parts.commit.record(call, [recordedError(shown)], false);
    return lost === undefined ? refusal(shown, call.id, status) : refusal(lost, call.id);
  }

  private async perform(arrival: Arrival, wanted: OperationRequest): Promise<Answer> {
    prepare(arrival.call, wanted);
    if (arrival.call.isOptimistic) {
      const quick = await this.optimistic(arrival.call, wanted);
      if (quick !== undefined) return responseOf(arrival.call, quick);
      const again = await this.recognise(arrival.caller);
      if (isAnswer(again)) return again;
      const { arrived, admitted } = arrival.call.marks;
      Object.assign(again.call.marks, { arrived, admitted });
      arrival.call = again.call;
      prepare(arrival.call, wanted);
    }
    const asked = await this.parts.guide.requireTool(arrival.call.authority, wanted);
    switch (asked.kind) {
      case 'faulty':
        throw asked.error;
      case 'schema':
        return this.schema(arrival.call);
      case 'guide':
        return this.guide(arrival.call, asked.question);
      case 'document':
        return this.document(arrival.call, asked);
    }
  }

  /** Undefined where the caller has to be recognised first; nothing is recorded then. */
  private optimistic(call: Call, wanted: OperationRequest): Promise<Committed | undefined> | undefined {
    const { fastPath, commitGate, guide } = this.parts;
    if (wanted.kind !== 'document' || wanted.isSafe === true) return undefined;
    if (wanted.tool !== undefined && !guide.certainlyOffers(call.authority, wanted.tool)) return undefined;
    if (commitGate.spent(call.authority) !== undefined) return undefined;
    return fastPath.answer(call, parametersIn(wanted.body));
  }

  private async document(
    call: Call,
    { body, isSafe = false, isBuiltIn = false }: Extract<OperationRequest, { kind: 'document' }>,
  ): Promise<Answer> {
    const { fastPath, apollo } = this.parts;
    this.refuseSpent(call, body);
    const resolved = isBuiltIn ? body : await resolveDocument(call, this.parts, body);
    const quick = isSafe ? undefined : await fastPath.answer(call, parametersIn(resolved));
    const answered = quick ?? (await apollo.answer(call, resolved, isSafe));
    if ('body' in answered) return responseOf(call, answered);
    const { status, errors, allow } = answered;
    if (call.isRecorded) throw new Error('Apollo Server failed after the operation was recorded.');
    const lost = await this.parts.commit.record(
      call,
      [{ code: status >= 500 ? 'INTERNAL' : 'BAD_USER_INPUT' }],
      false,
    );
    if (lost !== undefined) return refusal(lost, call.id);
    const text = JSON.stringify({ errors: withOperationId(errors, call.id) });
    return { status, body: text, operationId: call.id, kind: 'response', allow };
  }

  /** The caller's own view of the schema, as SDL. */
  private async schema(call: Call): Promise<Answer> {
    call.operationName = schemaOperation;
    call.operationType = 'query';
    const missing = wholeCeilingOf(call.authority);
    if (missing !== undefined) return this.refused(call, missing, 403);
    const sdl = this.parts.annotations.sdl(call.authority.ceiling, scopeStateOf(call.authority));
    const lost = await this.parts.commit.record(call, [], true);
    if (lost !== undefined) return refusal(lost, call.id);
    return { status: 200, body: sdl, operationId: call.id, kind: 'sdl' };
  }

  private async guide(call: Call, question: GuideRequest): Promise<Answer> {
    call.operationName = question.name;
    call.operationType = 'query';
    // A client connects again and again, whatever its task may still spend.
    if (question.name === 'session.connect') call.isFree = true;
    else this.refuseSpent(call, undefined);
    const answer = await this.parts.guide.answer(call, question);
    const lost = await this.parts.commit.record(call, [], true);
    if (lost !== undefined) return refusal(lost, call.id);
    return { status: 200, body: JSON.stringify(answer), operationId: call.id, kind: 'guide' };
  }

  /** Recognises the caller by an authority from live rows; gives a refusal where there is none. */
  private async recognise(caller: Caller): Promise<Arrival | Answer> {
    const { callers, rejections, ids, logger } = this.parts;
    const waitSeconds = rejections.waitSeconds(caller.address);
    try {
      return { caller, call: await callers.recognise(caller) };
    } catch (error) {
      const shown = tellable(error);
      const operationId = ids.next();
      if (shown.code === 'INTERNAL') logger.error({ operationId, err: error }, 'authentication failed');
      if (shown.code !== 'UNAUTHENTICATED') return refusal(shown, operationId);
      // An address waits for its own failed requests, never for a failure of the server.
      const isFlood = waitSeconds > 0;
      await this.recordUnrecognised(caller, error, operationId, isFlood);
      return {
        ...refusal(shown, operationId, isFlood ? 429 : statusOfError(shown)),
        ...(isFlood && { retryAfterSeconds: waitSeconds }),
        unrecognised: shown,
      };
    }
  }

  /** A known caller is recorded by name, except during a flood; strangers are recorded in aggregate. */
  private async recordUnrecognised(
    { address, userAgent }: Caller,
    error: unknown,
    operationId: string,
    isFlood: boolean,
  ): Promise<void> {
    const { recorder, rejections, logger } = this.parts;
    try {
      const refused = error instanceof RefusedCaller || error instanceof DpopRefused ? error : undefined;
      if (refused !== undefined && !isFlood) {
        const { fact, message: detail } = refused;
        const { tokenId, userId, delegationId } = fact;
        const of = delegationId === undefined ? {} : { delegationId };
        const event = { kind: 'rejected', outcome: 'refused', detail } as const;
        const source = { address, userAgent: userAgent ?? '' };
        await recorder.recordAuthEvent({ ...event, ...of, operationId, tokenId, userId, ...source });
      }
      await rejections.count(address, 'UNAUTHENTICATED', refused === undefined);
    } catch (cause) {
      logger.error({ operationId, err: cause }, 'a rejected request could not be recorded');
    }
  }

  private refuseForLoad({ address }: Caller, operationId: string, error: unknown): Answer {
    // The client has closed its connection.
    if (error instanceof ClientGone) return { status: 499, body: '', operationId, kind: 'refusal' };
    if (!(error instanceof BehalfError)) throw error;
    this.parts.refusedForLoad.note(address, error.code);
    return refusal(error, operationId);
  }

  /** Where the limits are spent, the document is read only for its record. */
  private refuseSpent(call: Call, body: unknown): void {
    const spent = this.parts.commitGate.spent(call.authority);
    if (spent === undefined) return;
    call.isFree = true;
    noteDocument(call, parametersIn(body));
    throw spent;
  }

  /** Once for each call: when its record is durable, or it is certain that there will be none. */
  private observe(arrival: Arrival): void {
    const { caller, call } = arrival;
    if (!call.isRecorded || arrival.isObserved === true) return;
    arrival.isObserved = true;
    this.parts.observe(call, caller.traceparent);
  }
}

/** The refusal of a caller that may use nothing of its ceiling; it names all scopes that it could get. */
function wholeCeilingOf(authority: Authority): BehalfError | undefined {
  const others = [...authority.ceiling].filter((scope) => scope !== sessionScope).sort();
  if (others.length === 0 || others.some((scope) => authority.allows(scope))) return undefined;
  const missingScopes = others.filter((scope) => isNameable(authority, scope));
  const none = 'The token has no scope that can be used now';
  return missingScopes.length === 0
    ? new BehalfError('FORBIDDEN', `${none}, and its person holds none that it could get.`)
    : new BehalfError('FORBIDDEN', `${none}. Get one with a scope of those missing.`, { missingScopes });
}

export const isAnswer = (arrival: Arrival | Answer): arrival is Answer => 'status' in arrival;
