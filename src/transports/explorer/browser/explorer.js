// Runs in the browser, after React and GraphiQL. It holds no token: the server finds the sign-in in its sealed cookie,
// and takes requests only with the value that this page was given.
const place = document.getElementById('explorer');
const { form, delegation, person } = place.dataset;

const ended = 'Your sign-in has ended. Load this page again.';

async function ask(parameters) {
  const response = await fetch('/graphql/explorer', {
    method: 'POST',
    credentials: 'same-origin',
    headers: {
      'content-type': 'application/json',
      'behalf-form': form,
      ...(delegation === undefined ? {} : { 'behalf-delegation': delegation }),
    },
    body: JSON.stringify(parameters),
  });
  const answer = await response.json();
  const [error] = answer.errors ?? [];
  const hasEnded = delegation === undefined && error?.extensions?.code === 'UNAUTHENTICATED';
  return hasEnded ? { errors: [{ message: ended }] } : answer;
}

/** What was typed ends with the tab, and is another person's neither here nor under another task. */
const prefix = `behalf ${person} ${delegation ?? ''} `;
const storage = {
  getItem: (key) => sessionStorage.getItem(prefix + key),
  setItem: (key, value) => sessionStorage.setItem(prefix + key, value),
  removeItem: (key) => sessionStorage.removeItem(prefix + key),
  clear: () => sessionStorage.clear(),
  get length() {
    return sessionStorage.length;
  },
};

const firstQuery = `# Ctrl+Space completes, Ctrl+Enter runs.
query WhatMayIDo {
  viewer {
    person { displayName }
    scopes
  }
}
`;

/** CodeMirror's fields have no names of their own; the section around each has one. */
new MutationObserver(() => {
  for (const field of place.querySelectorAll('textarea:not([aria-label])'))
    field.setAttribute(
      'aria-label',
      field.closest('section[aria-label]')?.getAttribute('aria-label') ?? 'Editor',
    );
}).observe(place, { childList: true, subtree: true });

const { createElement } = globalThis.React;
const { GraphiQL } = globalThis;
globalThis.ReactDOM.createRoot(place).render(
  createElement(
    GraphiQL,
    {
      fetcher: ask,
      storage,
      defaultQuery: firstQuery,
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
    },
    createElement(GraphiQL.Logo, null, ' '),
  ),
);
