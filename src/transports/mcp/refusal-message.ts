import { ProtocolErrorCode } from '@modelcontextprotocol/server';
import { BehalfError } from '../../core/errors.js';
import { UnfitJson } from '../../core/json.js';
import type { WordRefusal } from '../http/operations.js';
import { isRecord } from '../../operation/parameters.js';
import { isId } from './message.js';
import type { GraphqlResponse } from './graphql-response.js';

/** The head of a message says something else than its body. */
export class HeaderMismatch extends BehalfError {
  constructor() {
    super(
      'BAD_USER_INPUT',
      '`Mcp-Method` and `Mcp-Name` say something else than the message: send what it says, or neither.',
    );
  }
}

/** Of revision 2026-07-28; the SDK sends it as well. */
const headerMismatchCode = -32_020;

/**
 * A refusal as an error response of JSON-RPC 2.0, whose `data` has the stable code and the id of the operation. Its id is
 * that of the message, or null where that cannot be known (section 5).
 */
export const refusalMessage: WordRefusal = ({ status, body }, sent, error) => {
  const { errors = [] } = JSON.parse(body.toString() || '{}') as GraphqlResponse;
  const { message = 'The request was refused.', extensions } = errors[0] ?? {};
  // The challenge names those that the token has as well.
  const missing = errors.flatMap(({ extensions: { missingScopes = [] } = {} }) => missingScopes);
  const data =
    missing.length === 0 ? extensions : { ...extensions, missingScopes: [...new Set(missing)].sort() };
  return JSON.stringify({
    jsonrpc: '2.0',
    id: isRecord(sent) && isId(sent.id) ? sent.id : null,
    error: { code: codeOf(status, error), message, data },
  });
};

/** A code of JSON-RPC or of the protocol where one of them fits, else the HTTP status: both leave other numbers free. */
function codeOf(status: number, error: BehalfError | undefined): number {
  if (error instanceof HeaderMismatch) return headerMismatchCode;
  if (error instanceof UnfitJson && error.value === undefined) return ProtocolErrorCode.ParseError;
  switch (status) {
    case 400:
      return ProtocolErrorCode.InvalidRequest;
    case 500:
      return ProtocolErrorCode.InternalError;
    default:
      // GraphQL refuses by errors under 200.
      return status < 400 ? 403 : status;
  }
}
