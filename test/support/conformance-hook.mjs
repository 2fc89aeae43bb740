import { register } from 'node:module';

// The suite imports `globSync`, which Node has from 22 on, for a command that no test runs.
const stand = `
  export * from 'node:fs';
  export { default } from 'node:fs';
  export const globSync = () => { throw new Error('There is no globSync before Node 22.'); };`;
const hooks = `
  export const resolve = (specifier, context, next) =>
    specifier === 'fs' && context.parentURL?.includes('@modelcontextprotocol/conformance')
      ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(stand)}`)}, shortCircuit: true }
      : next(specifier, context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
