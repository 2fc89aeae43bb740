import { expect } from 'vitest';
import type { TestServer } from './server.js';

/** A response as a caller could compare it with another: everything but ids, times and lengths that follow. */
export interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const ownHeaders = new Set(['date', 'behalf-operation-id', 'content-length']);

export async function raw(server: TestServer, token: string, query: string, variables = {}): Promise<Raw> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const operationId = response.headers.get('behalf-operation-id') ?? '';
  return {
    status: response.status,
    headers: Object.fromEntries([...response.headers].filter(([name]) => !ownHeaders.has(name))),
    text: (await response.text()).replaceAll(operationId, '<operation>'),
  };
}

/** The same without the name or id that was asked for. */
export const without = (answer: Raw, name: string): Raw => ({
  ...answer,
  text: answer.text.replaceAll(name, '<name>'),
});

/** Messages say which names are near the one that was asked for; those are compared elsewhere. */
export const withoutSuggestions = (answer: Raw): Raw => ({
  ...answer,
  text: answer.text.replaceAll(/ Did you mean [^?]*\?/g, ''),
});

/** A name of the same length and case that nothing has. */
export const inventedFor = (name: string): string => {
  const invented = [...name].map((_, at) => (at % 2 === 0 ? 'z' : 'q')).join('');
  return /^[A-Z]/.test(name) ? invented.replace('z', 'Z') : invented;
};

/** An id that could be one of ours and is not. */
export const inventedId = (id: string): string => `${id.slice(0, 25)}${id.endsWith('Z') ? 'Y' : 'Z'}`;

/** Asks the same twice, for what is hidden and for what does not exist, and finds no difference. */
export async function expectNoDifference(
  server: TestServer,
  token: string,
  ask: (name: string) => readonly [query: string, variables?: object],
  hidden: string,
  invented: string,
): Promise<Raw> {
  const ofHidden = await raw(server, token, ...ask(hidden));
  const ofInvented = await raw(server, token, ...ask(invented));
  const [query] = ask(hidden);
  expect(withoutSuggestions(without(ofHidden, hidden)), query).toEqual(
    withoutSuggestions(without(ofInvented, invented)),
  );
  return ofHidden;
}
