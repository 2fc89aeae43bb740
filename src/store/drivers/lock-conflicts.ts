/** Thrown inside a transaction that lost a race. Another run would succeed, or find the winner's result. */
export class RunAgain extends Error {
  override readonly name = 'RunAgain';
}

/**
 * ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD: nothing was changed, so the transaction may run
 * again.
 */
export function isLockConflict(error: unknown): boolean {
  if (error instanceof RunAgain) return true;
  const code = (error as { driverError?: { errno?: number } }).driverError?.errno;
  return code === 1213 || code === 1205 || code === 1020;
}
