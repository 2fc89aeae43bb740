// The built server as a process of its own: prints its URL once it listens. It ends with the process that started it.
import { readConfig } from '../../dist/src/config.js';
import { serve } from '../../dist/src/main.js';

process.stdin.on('end', () => process.exit(1)).resume();
await serve(readConfig(process.env), (url) => console.log(url));
process.exit(0);
