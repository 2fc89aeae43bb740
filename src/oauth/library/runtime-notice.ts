/**
 * The library warns on every start on Node 20, although it runs on it and is tested on it here (`engines` in
 * package.json). While it loads, that one warning is left out on supported versions; every other warning appears.
 */
const notice = 'oidc-provider WARNING: Unsupported runtime.';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isSupported = major > 20 || (major === 20 && minor >= 19);

const { warn } = console;

const setWarn = (to: typeof warn): unknown => Object.assign(console, { warn: to });

if (isSupported) {
  setWarn((...parts: unknown[]) => {
    if (!String(parts[0]).includes(notice)) warn.apply(console, parts);
  });
}

/** From here on every warning appears. */
export function tellAll(): void {
  setWarn(warn);
}
