import { setImmediate as nextTurn } from 'node:timers/promises';
import { eq, quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { authorityEpoch } from '../store/tables/identity.js';

export interface Epoch {
  readonly version: number;
  /** The kill switch: no agent acts until someone resumes. */
  readonly stopped: boolean;
  /** Moves when the tokens of all agents end. */
  readonly tokenGeneration: number;
}

const moving = `UPDATE ${quote(authorityEpoch.name)} SET \`version\` = \`version\` + 1 WHERE \`id\` = ?`;

/**
 * Every change of a right calls this in its own transaction, so that no cached authority outlives the change.
 */
export async function bumpEpoch(tx: Connection): Promise<void> {
  await tx.affecting(moving, [1]);
  tx.epochMoves += 1;
}

export const noEpoch = (): Error => new Error(`${authorityEpoch.name} has no row: run \`behalf migrate\`.`);

/** With `lock`, nobody can change a right until the transaction has ended. */
export async function readEpoch(connection: Connection, lock = false): Promise<Epoch> {
  const row = await connection.one(authorityEpoch, eq('id', 1), lock ? { lock: 'share' } : {});
  if (row === undefined) throw noEpoch();
  const { version, stopped, tokenGeneration } = row;
  return { version, stopped, tokenGeneration };
}

/**
 * Shares one read of the epoch among all operations that wait at the same moment. No operation joins a read
 * that is already under way: it could have passed the row before a revocation that this operation must see.
 */
export class AuthorityEpoch {
  private current: Promise<Epoch> | undefined;
  private next: Promise<Epoch> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly onRead: (seconds: number) => void = () => undefined,
  ) {}

  read(): Promise<Epoch> {
    this.next ??= this.start();
    return this.next;
  }

  private async start(): Promise<Epoch> {
    await this.current?.catch(() => undefined);
    // Operations that come in this turn of the event loop share the read.
    await nextTurn();
    // Operations that come from here on wait for the next read.
    const began = performance.now();
    const mine = readEpoch(this.connection);
    this.current = mine;
    this.next = undefined;
    const epoch = await mine;
    this.onRead((performance.now() - began) / 1000);
    return epoch;
  }
}
