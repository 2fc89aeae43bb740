import { DataSource } from 'typeorm';
import { migrations } from './migrations/index.js';
import { readConfig } from './src/config.js';
import { domains } from './src/domains/index.js';
import { dataSourceOptions } from './src/store/database.js';
import * as auditTables from './src/store/tables/audit.js';
import * as identityTables from './src/store/tables/identity.js';

const config = readConfig(process.env);

const tables = [
  ...Object.values(identityTables),
  ...Object.values(auditTables),
  ...domains({ smallestCell: config.BEHALF_SMALLEST_CELL }).flatMap((domain) => domain.tables),
];

/** For TypeORM's own command line: `npx typeorm -d dist/ormconfig.js migration:show`. */
export default new DataSource({
  ...dataSourceOptions(config.database, migrations, config.BEHALF_POOL_SIZE),
  entities: tables.map((table) => table.schema),
});
