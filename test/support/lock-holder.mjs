// A process that works on a SQLite file by the built server's own code. `node lock-holder.mjs URL`: holds a transaction
// until its input ends, and prints a line once it has it.
import { parseDatabaseUrl } from '../../dist/src/core/database-url.js';
import { Database } from '../../dist/src/store/sql/database.js';

const database = await Database.open(parseDatabaseUrl(process.argv[2]), []);
await database.transaction(async () => {
  console.log('held');
  await new Promise((resolve) => process.stdin.on('end', resolve).resume());
});
await database.close();
