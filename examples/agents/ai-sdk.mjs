// An agent with the AI SDK: the model has two tools, and a refusal comes back to it as code and hint.
import { generateText, jsonSchema, stepCountIs, tool } from 'ai';
import { AgentError, agentClient } from 'behalf/client';

const { SERVER: server, AGENT: name, SECRET: secret, DELEGATION: delegation } = process.env;
const agent = agentClient({ server, agent: name, secret, delegation });

/** The model's operations: data, or what to do about an error. */
async function run({ operation, variables = {} }) {
  try {
    return await agent.request(operation, variables);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const { code, message, hint, missingScopes, data } = error;
    return { code, message, hint, missingScopes, data };
  }
}

const tools = {
  schema: tool({
    description: 'The GraphQL schema, with what needs scopes that this task lacks.',
    inputSchema: jsonSchema({ type: 'object', properties: {} }),
    execute: async () => (await agent.fetch(`${agent.endpoint}/schema.graphql`)).text(),
  }),
  graphql: tool({
    description: 'Runs one GraphQL operation. Mutations declare $key: String! and pass it as idempotencyKey.',
    inputSchema: jsonSchema({
      type: 'object',
      properties: { operation: { type: 'string' }, variables: { type: 'object' } },
      required: ['operation'],
    }),
    execute: run,
  }),
};

// Any model of the AI SDK. This one follows a script, so that the example runs without a network.
const { model } = await import(process.env.MODEL ?? './scripted-model.mjs');
const { text } = await generateText({
  model,
  tools,
  stopWhen: stepCountIs(5),
  prompt: 'Which tickets are open?',
});
console.log(JSON.stringify({ text }));
