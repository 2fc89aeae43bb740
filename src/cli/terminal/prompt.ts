import { createInterface, type Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError } from '../../core/command-error.js';
import { withoutByteOrderMark } from './read-text.js';

/** Asks on the terminal, or takes the lines of a pipe in order. */
export class Prompt {
  private hidden = false;
  private reader: Interface | undefined;
  private lines: AsyncIterator<string> | undefined;

  get isTerminal(): boolean {
    return process.stdin.isTTY;
  }

  /** Asks without showing the input. */
  async secret(question: string): Promise<string> {
    const reader = this.open();
    if (!this.isTerminal) return this.nextLine(reader, question);
    process.stderr.write(question);
    this.hidden = true;
    try {
      return await reader.question('');
    } finally {
      this.hidden = false;
      process.stderr.write('\n');
    }
  }

  /** Only `y` and `yes` count as agreement. */
  async confirm(question: string): Promise<boolean> {
    const reply = await this.open().question(`${question} [y/N] `);
    return /^y(es)?$/i.test(reply.trim());
  }

  close(): void {
    this.reader?.close();
    this.reader = undefined;
  }

  private async nextLine(reader: Interface, question: string): Promise<string> {
    const isFirst = this.lines === undefined;
    this.lines ??= reader[Symbol.asyncIterator]();
    const next = await this.lines.next();
    if (next.done !== true) return isFirst ? withoutByteOrderMark(next.value) : next.value;
    throw new CommandError(`${question.replace(/:? *$/, '')} was asked for, and there is nobody to type it.`);
  }

  private open(): Interface {
    if (this.reader !== undefined) return this.reader;
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!this.hidden) process.stderr.write(chunk);
        done();
      },
    });
    this.reader = createInterface({ input: process.stdin, output, terminal: this.isTerminal });
    this.reader.once('SIGINT', () => process.exit(130));
    return this.reader;
  }
}
