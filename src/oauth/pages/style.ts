import { createHash } from 'node:crypto';

/** The style of all pages. It is constant, so that its digest can stand in the policy and no other style applies. */
const style = `
:root{color-scheme:light dark;--ink:#17202b;--soft:#55616f;--page:#f3f5f7;--card:#fff;--line:#8793a1;--accent:#0b5cad;--on:#fff;--bad:#b3261e;--bad-page:#fdeeed}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#a9b4c0;--page:#10161d;--card:#19222c;--line:#6b7886;--accent:#8ec5ff;--on:#0c1520;--bad:#ffb4ab;--bad-page:#3b1715}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:26rem;overflow-wrap:anywhere;background:var(--card);border:1px solid color-mix(in srgb,var(--line) 40%,transparent);border-radius:.75rem;padding:2rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.25rem 0 1rem}
.brand{font-weight:700;letter-spacing:.02em;color:var(--accent);margin:0 0 1.25rem}
.soft{color:var(--soft)}
label{display:block;font-weight:600;margin:1rem 0 .25rem}
.hint{color:var(--soft);font-size:.9rem;margin:0 0 .25rem}
input,select{width:100%;padding:.65rem .75rem;font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem}
input[aria-invalid=true]{border-color:var(--bad);border-width:2px}
.fault{color:var(--bad);margin:.25rem 0;font-size:.95rem}
.faults{border:2px solid var(--bad);background:var(--bad-page);border-radius:.4rem;padding:.75rem 1rem;margin:1rem 0}
.faults h2{margin:0}
.faults ul{margin:.25rem 0 0;padding-left:1.1rem}
.faults a{color:inherit}
.actions{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.5rem}
ul.providers{list-style:none;margin:1.25rem 0;padding:0;display:grid;gap:.75rem}
a.button{display:inline-block;text-align:center;text-decoration:none}
ul.providers a.button{display:block}
button,a.button{font:inherit;font-weight:600;padding:.65rem 1.25rem;border-radius:.4rem;border:1px solid var(--accent);background:var(--accent);color:var(--on);cursor:pointer}
button.quiet,a.button.quiet{background:transparent;color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
dl{margin:1rem 0}
dt{color:var(--soft);font-size:.9rem}
dd{margin:0 0 .6rem;overflow-wrap:anywhere}
ul{padding-left:1.1rem;margin:.25rem 0 1rem;overflow-wrap:anywhere}
main:has(fieldset){max-width:40rem}
fieldset{border:1px solid color-mix(in srgb,var(--line) 40%,transparent);border-radius:.4rem;margin:0 0 .75rem;padding:.25rem 1rem .75rem;min-width:0}
legend{font-weight:700;padding:0 .35rem}
.kind{color:var(--soft);font-size:.9rem;margin:.4rem 0 0}
.box{display:grid;grid-template-columns:auto 1fr;column-gap:.75rem;align-items:start;padding:.2rem 0}
.box input{width:1.25rem;height:1.25rem;margin:.15rem 0 0;accent-color:var(--accent)}
.box label{margin:0;font-weight:400}
.find{display:flex;flex-wrap:wrap;gap:.5rem}
.find input{flex:1 1 10rem;width:auto}
.box code{grid-column:2;overflow-wrap:anywhere}
.person{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:baseline;margin:.5rem 0 1rem}
.person p{margin:0}
button.link{border:0;padding:.25rem 0;background:none;color:var(--accent);font-weight:400;text-decoration:underline}
code{font-size:.9em}
main.wide{max-width:48rem}
.wide h2{font-size:1.2rem;margin:2rem 0 .75rem}
h3{font-size:1.05rem;line-height:1.3;margin:0 0 .5rem;overflow-wrap:anywhere}
h4,.label{font-size:.9rem;font-weight:600;margin:.75rem 0 .25rem}
a{color:var(--accent)}
.bar{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;justify-content:space-between;margin-bottom:1.25rem}
.bar p{margin:0;overflow-wrap:anywhere}
.card{border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:0 0 1rem}
.card>:last-child{margin-bottom:0}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr));gap:0 1.5rem;margin:.5rem 0}
.records li,.tasks li{margin:.35rem 0}
.tasks .soft{display:block}
.notice{border:2px solid var(--accent);border-radius:.4rem;padding:.75rem 1rem;margin:1rem 0}
summary{cursor:pointer;font-weight:600;color:var(--accent);padding:.4rem 0}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:30rem){body{padding:.5rem}main{padding:1.25rem 1rem}}
`;

/** Must equal the digested text byte for byte: a formatter must not add white space between the tags and the rules. */
export const styleElement = ['<style>', style, '</style>'].join('');

const digest = createHash('sha256').update(style).digest('base64');

/**
 * @param formTargets browsers apply `form-action` to the redirect after a form as well, so the program's address is
 *   named
 * @param files of this server that the page has beside the style of all pages: a script, or a script and a style of its own
 */
export function contentSecurityPolicy(
  formTargets: readonly string[] = [],
  files: 'none' | 'script' | 'program' = 'none',
): string {
  return [
    "default-src 'none'",
    ...(files === 'none' ? [] : ["script-src 'self'"]),
    ...(files === 'program' ? ["style-src 'self'", "connect-src 'self'"] : [`style-src 'sha256-${digest}'`]),
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}
