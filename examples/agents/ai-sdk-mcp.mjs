// An agent with the AI SDK over MCP: the model gets the tools that the task allows, each with its description.
import { createMCPClient } from '@ai-sdk/mcp';
import { generateText, stepCountIs } from 'ai';
import { agentClient } from 'behalf/client';

const { SERVER: server, AGENT: name, SECRET: secret, DELEGATION: delegation } = process.env;
// Signs in, and renews its token before the token ends.
const agent = agentClient({ server, agent: name, secret, delegation, path: '/mcp' });

const client = await createMCPClient({
  transport: { type: 'http', url: `${server}/mcp`, fetch: (url, init) => agent.fetch(url, init) },
});
try {
  const { model } = await import(process.env.MODEL ?? './scripted-model.mjs');
  const { text } = await generateText({
    model,
    tools: await client.tools(),
    stopWhen: stepCountIs(5),
    prompt: 'Which tickets are open?',
  });
  console.log(JSON.stringify({ text }));
} finally {
  await client.close();
}
