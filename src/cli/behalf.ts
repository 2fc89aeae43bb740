#!/usr/bin/env node
import { tuneEngine } from './engine.js';

tuneEngine();
const { run } = await import('./run.js');
await run();
