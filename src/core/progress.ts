/** Told what is being done, again and again; an empty text ends it. */
export interface Progress {
  (done: string): void;
}
