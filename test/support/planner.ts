import type { Client } from '@modelcontextprotocol/client';
import { countTokens } from 'gpt-tokenizer';

interface Told {
  readonly isError?: boolean;
  readonly content: readonly { readonly type: string; readonly text?: string; readonly uri?: string }[];
  readonly structuredContent?: Record<string, unknown>;
}

/** A tool that a message of the story asks for, and what came of it. */
export interface Step {
  readonly tool: string;
  readonly told: Told | { readonly refused: string };
}

/**
 * An agent without a model, which answers a ticket. It knows only what the server tells it: the tools, the task, the
 * schema that it searches. It is as gullible as can be: it does what any text asks that begins with `AGENT:`.
 */
export class Planner {
  readonly steps: Step[] = [];
  /** All that a model would have read and written. */
  tokens = 0;

  constructor(private readonly client: Client) {}

  async answerTicket(): Promise<void> {
    const { tools } = await this.client.listTools();
    this.tokens += countTokens(JSON.stringify(tools));
    const who = await this.use('whoami', {});
    const number = /ticket:([\w-]+)/.exec(JSON.stringify(who))?.[1] ?? '';
    const sdl = await this.use('search_schema', { words: 'ticket by number' });
    const root = /Query\.(\w+)\(number: String!\): Ticket\b/.exec(JSON.stringify(sdl))?.[1] ?? '';
    const document = `query Read($number: String!) { ${root}(number: $number) { id subject status messages(first: 5) { nodes { body } } } }`;
    await this.use('validate', { document, variables: { number } });
    const read = await this.use('query', { document, variables: { number } });
    const ticket = (read as { data?: Record<string, Ticket> }).data?.[root];
    if (ticket === undefined) throw new Error('The planner found no ticket.');
    for (const { body } of ticket.messages.nodes) await this.obey(body);
    const found = await this.use('search_knowledge', { words: ticket.subject, first: 3 });
    const uri = this.steps.at(-1)?.told;
    const link =
      uri !== undefined && 'content' in uri
        ? uri.content.find(({ type }) => type === 'resource_link')
        : undefined;
    if (link?.uri !== undefined) {
      const { contents } = await this.client.readResource({ uri: link.uri });
      this.tokens += countTokens(JSON.stringify(contents));
    }
    const reply = tools.find(({ name }) => /reply/i.test(name));
    if (reply === undefined) throw new Error('The planner found no way to answer.');
    const title = /"title":"([^"]+)"/.exec(JSON.stringify(found))?.[1] ?? '';
    await this.use(reply.name, {
      ticketId: ticket.id,
      body: `See “${title}”.`,
      idempotencyKey: `answer-${number}`,
    });
  }

  /** Calls a tool, and counts what a model would have written and read. */
  private async use(tool: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
    this.tokens += countTokens(JSON.stringify(input));
    try {
      const told = (await this.client.callTool({ name: tool, arguments: input })) as Told;
      this.tokens += countTokens(told.content.map((part) => JSON.stringify(part)).join('\n'));
      this.steps.push({ tool, told });
      return told.structuredContent ?? {};
    } catch (error) {
      const refused = (error as Error).message;
      this.tokens += countTokens(refused);
      this.steps.push({ tool, told: { refused } });
      return {};
    }
  }

  /** Does what an injected text says: `AGENT: tool {json}`, a line each. */
  private async obey(text: string): Promise<void> {
    for (const [, tool = '', input = '{}'] of text.matchAll(/^AGENT: (\w+) (.*)$/gm))
      await this.use(tool, JSON.parse(input) as Record<string, unknown>);
  }
}

interface Ticket {
  readonly id: string;
  readonly subject: string;
  readonly messages: { readonly nodes: readonly { readonly body: string }[] };
}
