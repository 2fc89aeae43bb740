import { makeProgram } from './program.js';
import { failureOf } from './terminal/errors.js';
import { note, progress } from './terminal/output.js';

/** Runs the command of this process. A failure is reported in one text and by the exit code. */
export async function run(): Promise<void> {
  // `behalf audit search | head` closes the pipe, which is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await makeProgram().parseAsync();
  } catch (error) {
    const failure = failureOf(error, process.env.BEHALF_LOG_LEVEL === 'debug');
    progress('');
    note(failure.text);
    process.exitCode = failure.exitCode;
  }
}
