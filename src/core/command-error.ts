/** What a command cannot do, and what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
