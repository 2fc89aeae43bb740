import { startDemoServer, type DemoServer, type ServerOptions } from './server.js';
import type { StepReport } from './step.js';
import { tellCompanyStory } from './sso/story.js';
import { tellStory, type Outcome } from './story.js';

export interface DemoOptions extends ServerOptions {
  /** Tells the story of a person who signs in with her company. */
  readonly sso?: boolean;
  readonly onServer?: (server: DemoServer) => void;
  readonly onStep?: (report: StepReport) => void;
  /** Ends the demo early. The server ends and temporary files go in any case. */
  readonly signal?: AbortSignal;
}

/** Starts a server, runs the whole story against it, and ends it. */
export async function runDemo(options: DemoOptions = {}): Promise<Outcome> {
  const { signal, onServer = () => undefined, onStep = () => undefined } = options;
  const server = await startDemoServer(options);
  try {
    signal?.throwIfAborted();
    onServer(server);
    const story = (options.sso === true ? tellCompanyStory : tellStory)(server, (report) => {
      if (signal?.aborted !== true) onStep(report);
    });
    return await Promise.race([story, ...(signal === undefined ? [] : [aborted(signal)])]);
  } finally {
    await server.close();
  }
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('The demo was interrupted.')), { once: true });
  });
