/** What is wrong with `DATABASE_URL`. Its message never tells a value, as the URL holds a password. */
export class DatabaseUrlFault extends Error {
  override readonly name = 'DatabaseUrlFault';
}
