/** A fault in `DATABASE_URL`. The message never shows a value, because the URL holds a password. */
export class DatabaseUrlFault extends Error {
  override readonly name = 'DatabaseUrlFault';
}
