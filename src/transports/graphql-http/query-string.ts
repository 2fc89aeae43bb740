import type { FastifyRequest } from 'fastify';
import { badInput } from '../../core/errors.js';
import { parseJson } from '../../core/json.js';
import { isUtf8Target } from '../../core/utf8.js';
import type { Parameters } from '../../operation/parameters.js';
import { HttpError } from '../http/http-error.js';

/** The parameters of a request by GET, each at most once (GraphQL over HTTP, GET). */
export function parametersOfAddress({ url, headers }: FastifyRequest): Parameters {
  const { 'content-type': type } = headers;
  if (type !== undefined && !/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new HttpError(415, 'GET requests may not have a content-type header other than application/json.');
  }
  if (!isUtf8Target(url)) throw badInput('The query of this address is not UTF-8.');
  const { searchParams } = new URL(url, 'http://localhost');
  const once = (name: string): string | undefined => {
    const [value, another] = searchParams.getAll(name);
    if (another !== undefined) throw badInput(`\`${name}\` may be there only once.`, name);
    return value;
  };
  const json = (name: string): unknown => {
    const text = once(name);
    return text === undefined ? undefined : parseJson(text, `\`${name}\``, name);
  };
  return {
    query: once('query'),
    documentId: once('documentId'),
    operationName: once('operationName'),
    variables: json('variables'),
    extensions: json('extensions'),
  };
}
