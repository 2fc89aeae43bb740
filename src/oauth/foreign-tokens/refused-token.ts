/** Why a token of an issuer is not accepted. The message tells the client what is missing; it holds no token. */
export class RefusedToken extends Error {
  override readonly name = 'RefusedToken';
}
