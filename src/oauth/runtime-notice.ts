/**
 * The library warns at every start on Node 20, which it runs on and we test it with (`engines` in package.json). This one
 * line is left out while it loads, on the versions that we support; every other one is told.
 */
const notice = 'oidc-provider WARNING: Unsupported runtime.';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isSupported = major > 20 || (major === 20 && minor >= 19);

const { warn } = console;

const setWarn = (to: typeof warn): unknown => Object.assign(console, { warn: to });

if (isSupported) {
  setWarn((...told: unknown[]) => {
    if (!String(told[0]).includes(notice)) warn.apply(console, told);
  });
}

/** From here on everything is told again. */
export function tellAll(): void {
  setWarn(warn);
}
