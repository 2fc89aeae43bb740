/** Told while a long step runs. */
export interface Progress {
  step(what: string, done: number, total?: number): void;
  end(): void;
}

export const silent: Progress = { step: () => undefined, end: () => undefined };

const everyMs = 100;

/** One line on a terminal, written over and over; nothing where the stream is no terminal. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return silent;
  let last = Number.NEGATIVE_INFINITY;
  return {
    step(what, done, total) {
      if (performance.now() - last < everyMs) return;
      last = performance.now();
      stream.write(`\r\u001b[K${what}: ${String(done)}${total === undefined ? '' : ` of ${String(total)}`}`);
    },
    end: () => void stream.write('\r\u001b[K'),
  };
}
