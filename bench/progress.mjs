const isTerminal = process.stderr.isTTY === true;
let lastStep = '';

/** Tells on standard error what is being done: on a terminal in one line, else a line for each new step. */
export function progress(text) {
  if (isTerminal) {
    process.stderr.write(`\r\x1b[K${text}`);
    return;
  }
  const step = text.replace(/: (round|seeding|warming|minute).*$/, '');
  if (step !== lastStep) process.stderr.write(`${step}\n`);
  lastStep = step;
}

/** Leaves the line to what is printed next. */
export function progressDone() {
  if (isTerminal) process.stderr.write('\r\x1b[K');
}
