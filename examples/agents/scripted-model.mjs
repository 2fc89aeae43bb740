// Stands in for a model: looks around, asks for tickets and an e-mail address, and repeats what it was told.
import { MockLanguageModelV3 } from 'ai/test';

const operation = '{ tickets(first: 2) { nodes { number customer { email } } } }';
const byGraphql = [
  { toolName: 'schema', input: '{}' },
  { toolName: 'graphql', input: JSON.stringify({ operation }) },
];
const byMcp = [
  { toolName: 'whoami', input: '{}' },
  { toolName: 'query', input: JSON.stringify({ document: operation }) },
];
const usage = { inputTokens: { total: 0 }, outputTokens: { total: 0 } };
const warnings = [];

export const model = new MockLanguageModelV3({
  doGenerate: async ({ prompt, tools }) => {
    const calls = tools.some(({ name }) => name === 'whoami') ? byMcp : byGraphql;
    const results = prompt.filter(({ role }) => role === 'tool').flatMap(({ content }) => content);
    const call = calls[results.length];
    if (call !== undefined) {
      const content = [{ type: 'tool-call', toolCallId: `call-${results.length}`, ...call }];
      return { content, finishReason: { unified: 'tool-calls' }, usage, warnings };
    }
    const [first, answer] = results.map(({ output }) => output.value);
    const text = JSON.stringify({ fields: first.length > 0, answer });
    return { content: [{ type: 'text', text }], finishReason: { unified: 'stop' }, usage, warnings };
  },
});
