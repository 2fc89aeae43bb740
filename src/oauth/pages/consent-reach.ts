import type { FoundValues, NamedValue, OfferedDimension } from '../contract/dependencies.js';
import { html, type Html } from './html.js';

/** The names of a dimension's form fields. */
export const fieldOf = (dimension: string): { readonly values: string; readonly term: string } => ({
  values: `only:${dimension}`,
  term: `find:${dimension}`,
});

interface Reach {
  readonly action: string;
  readonly boundary: readonly OfferedDimension[];
  readonly ticked: ReadonlyMap<string, readonly string[]>;
  readonly terms: ReadonlyMap<string, string>;
  readonly found: ReadonlyMap<string, FoundValues>;
}

/** For which rows: each dimension with its sentence, and the boxes or the search that narrow it. */
export function consentReach(reach: Reach): Html | undefined {
  const { boundary } = reach;
  if (boundary.length === 0) return undefined;
  const fixed = boundary.filter(({ narrowing }) => narrowing.kind === 'none');
  return html`<h2>For which</h2>
    ${boundary.map((one) => narrowing(reach, one))}
    ${
      fixed.length === 0
        ? undefined
        : html`<ul>
            ${fixed.map(({ sentence }) => html`<li>${sentence}</li>`)}
          </ul>`
    }`;
}

function narrowing(reach: Reach, one: OfferedDimension): Html | undefined {
  const { dimension, sentence, narrowing: how } = one;
  if (how.kind === 'none') return undefined;
  const ticked = new Set(reach.ticked.get(dimension));
  return html`<fieldset id="${`for-${dimension}`}">
    <legend>${sentence}</legend>
    ${
      how.kind === 'search'
        ? finder(reach, dimension, ticked)
        : html`<p class="kind">
              ${how.kind === 'all' ? 'Tick some to allow only those.' : 'Untick the values that you do not want to allow.'}
            </p>
            ${boxes(dimension, how.values, ticked)}`
    }
  </fieldset>`;
}

function finder({ action, terms, found }: Reach, dimension: string, ticked: ReadonlySet<string>): Html {
  const here = found.get(dimension);
  const term = terms.get(dimension) ?? '';
  const id = `find-${dimension}`;
  return html`<p class="kind">
      ${ticked.size === 0 ? 'To allow only some, look for them by name and tick them.' : 'Only those that are ticked:'}
    </p>
    ${here === undefined ? undefined : boxes(dimension, [...here.chosen, ...here.found], ticked)}
    ${
      here === undefined || term.trim() === ''
        ? undefined
        : html`<p class="hint" role="status" id="${id}-found">${tellFound(here)}</p>`
    }
    <label for="${id}">Name or number</label>
    <div class="find">
      <input
        id="${id}"
        name="${fieldOf(dimension).term}"
        type="search"
        value="${term}"
        maxlength="100"
        autocomplete="off"
        spellcheck="false"
      />
      <button
        type="submit"
        name="action"
        value="search"
        class="quiet"
        formnovalidate
        formaction="${`${action}#for-${dimension}`}"
      >
        Search
      </button>
    </div>`;
}

function tellFound({ found, more, chosen }: FoundValues): string {
  if (more) return 'There are more results. Type more of the name to find them.';
  if (found.length > 0) return 'Tick those that you want to allow.';
  return chosen.length > 0 ? 'There is nothing else with this name.' : 'You can see nothing with this name.';
}

const boxes = (
  dimension: string,
  values: readonly NamedValue[],
  ticked: ReadonlySet<string>,
): readonly Html[] =>
  values.map(({ value, label }, at) => {
    const id = `only-${dimension}-${String(at)}`;
    return html`<div class="box">
      <input
        type="checkbox"
        id="${id}"
        name="${fieldOf(dimension).values}"
        value="${value}"
        ${ticked.has(value) ? html`checked` : undefined}
      />
      <label for="${id}">${label}</label>
    </div>`;
  });
