/**
 * The one script of the pages. A form with `data-passkey` gets its answer from the browser's passkeys: `create` makes one,
 * `get` uses one. The server's options are in `data-options`, the answer goes into the field `passkey`.
 */
export const passkeyScript = `'use strict';
const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
const base64url = (buffer) =>
  btoa(Array.from(new Uint8Array(buffer), (one) => String.fromCharCode(one)).join(''))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const listed = (credentials) => credentials.map((one) => ({ ...one, id: bytes(one.id) }));
const base = ({ id, rawId, type }) => ({ id, rawId: base64url(rawId), type });

const ceremonies = {
  async create({ challenge, user, excludeCredentials, ...options }) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(challenge),
        user: { ...user, id: bytes(user.id) },
        excludeCredentials: listed(excludeCredentials),
      },
    });
    const { clientDataJSON, attestationObject } = made.response;
    const transports = made.response.getTransports?.() ?? [];
    return {
      ...base(made),
      response: {
        clientDataJSON: base64url(clientDataJSON),
        attestationObject: base64url(attestationObject),
        transports,
      },
    };
  },
  async get({ challenge, allowCredentials, ...options }) {
    const used = await navigator.credentials.get({
      publicKey: { ...options, challenge: bytes(challenge), allowCredentials: listed(allowCredentials) },
    });
    const { clientDataJSON, authenticatorData, signature, userHandle } = used.response;
    return {
      ...base(used),
      response: {
        clientDataJSON: base64url(clientDataJSON),
        authenticatorData: base64url(authenticatorData),
        signature: base64url(signature),
        ...(userHandle ? { userHandle: base64url(userHandle) } : {}),
      },
    };
  },
};

const told = {
  InvalidStateError: 'This passkey is among yours already.',
  NotAllowedError: 'No passkey was used. You can try again.',
  SecurityError: 'Your browser does not use passkeys at this address.',
};

for (const form of document.querySelectorAll('form[data-passkey]')) {
  const alert = form.querySelector('[role=alert]');
  const answer = form.querySelector('input[name=passkey]');
  const button = form.querySelector('button[value=passkey]');
  button.hidden = false;
  form.addEventListener('submit', (event) => {
    if (event.submitter !== button || answer.value !== '') return;
    event.preventDefault();
    alert.textContent = '';
    button.disabled = true;
    const { passkey, options } = form.dataset;
    const ask = window.PublicKeyCredential ? ceremonies[passkey] : undefined;
    Promise.resolve(ask?.(JSON.parse(options)) ?? Promise.reject(new Error()))
      .then((credential) => {
        answer.value = JSON.stringify(credential);
        button.disabled = false;
        form.requestSubmit(button);
      })
      .catch((error) => {
        button.disabled = false;
        alert.textContent = told[error.name] ?? 'Your browser could not do this. Use another one, or another way.';
      });
  });
}
`;
