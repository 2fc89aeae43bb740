import { measure } from '../measure/measure.mjs';
import { goalsOf } from '../report/goals.mjs';
import { compareText } from '../report/text.mjs';
import { Stage } from '../stage.mjs';
import { usualWorld } from '../world/world.mjs';

/** Every server at every workload over every database. */
export async function compare(options) {
  const { servers, databases, workloads, progress } = options;
  const stage = new Stage(options);
  const rows = [];
  try {
    for (const database of databases) {
      const url = await stage.database(database, usualWorld);
      const contenders = [];
      for (const name of servers) contenders.push(await stage.contender(name, database, url, usualWorld));
      const { load, calibration } = stage;
      rows.push(...(await measure({ ...options.how, contenders, workloads, load, calibration, progress })));
      for (const { server } of contenders) await server.stop();
    }
    const result = { rows, world: usualWorld, how: options.how, calibration: stage.calibration.summary() };
    return { ...result, goals: goalsOf(rows) };
  } finally {
    await stage.close();
  }
}

compare.toText = compareText;
