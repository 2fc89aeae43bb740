/** Receives what a command is doing, repeatedly. An empty text ends it. */
export interface Progress {
  (done: string): void;
}
