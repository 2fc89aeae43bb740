// A process that works on a SQLite file by the built server's own code. `node lock-holder.mjs URL hold`: holds a
// transaction until its input ends. `… URL rounds N MS`: makes N transactions, each that long. It tells each step.
import { parseDatabaseUrl } from '../../dist/src/core/database-url.js';
import { Database } from '../../dist/src/store/database.js';

const [url, what, rounds, ms] = process.argv.slice(2);
const database = await Database.open(parseDatabaseUrl(url), []);
const spin = (until) => {
  while (performance.now() < until);
};
if (what === 'hold') {
  await database.transaction(async () => {
    console.log('held');
    await new Promise((resolve) => process.stdin.on('end', resolve).resume());
  });
} else {
  console.log('begins');
  for (let round = 0; round < Number(rounds); round += 1) {
    await database.transaction(async (tx) => {
      spin(performance.now() + Number(ms));
      await tx.affecting('UPDATE authority_epoch SET version = version + 1', []);
    });
  }
}
await database.close();
