import type { OfferedScope } from '../contract/dependencies.js';
import { html, type Html } from './html.js';
import { heading } from './in-words.js';

/** The offered scopes as checkboxes: by matter (`customers` of `customers:read`), seeing apart from changing. */
export const consentRights = (scopes: readonly OfferedScope[], ticked: ReadonlySet<string>): Html =>
  html`${[...new Set(scopes.map(matterOf))].map(
    (matter) =>
      html`<fieldset>
        <legend>${heading(matter)}</legend>
        ${kinds.map(({ title, changes }) =>
          boxes(
            title,
            scopes.filter((scope) => matterOf(scope) === matter && scope.changes === changes),
            ticked,
          ),
        )}
      </fieldset>`,
  )}`;

const matterOf = ({ name }: OfferedScope): string => name.split(':')[0] ?? name;

const kinds = [
  { title: 'See', changes: false },
  { title: 'Change', changes: true },
] as const;

const boxes = (
  title: string,
  scopes: readonly OfferedScope[],
  ticked: ReadonlySet<string>,
): Html | undefined =>
  scopes.length === 0
    ? undefined
    : html`<p class="kind">${title}</p>
        ${scopes.map(({ name, description }) => {
          const id = `scope-${name.replace(':', '-')}`;
          return html`<div class="box">
            <input
              type="checkbox"
              id="${id}"
              name="scope"
              value="${name}"
              aria-describedby="${id}-name"
              ${ticked.has(name) ? html`checked` : undefined}
            />
            <label for="${id}">${description}</label>
            <code class="soft" id="${id}-name">${name}</code>
          </div>`;
        })}`;
