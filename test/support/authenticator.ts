import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** Where a browser is, and what its authenticator says. Each may be a lie. */
export interface Circumstances {
  readonly origin: string;
  readonly rpId: string;
  readonly challenge: string;
  readonly isUserVerified: boolean;
  readonly userHandle: string | undefined;
  readonly signCount: number;
  readonly type: string;
  /** The format of the attestation, and its statement in CBOR. */
  readonly format: string;
  readonly statement: Buffer;
}
export type Lies = Partial<Circumstances>;

interface Options {
  readonly challenge: string;
}
interface CreationOptions extends Options {
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
}
interface RequestOptions extends Options {
  readonly rpId: string;
  readonly allowCredentials: readonly { readonly id: string }[];
}

/** The options that a page holds for the browser. */
export function optionsOn(html: string): unknown {
  const text = / data-options="([^"]+)"/.exec(html)?.[1];
  if (text === undefined) throw new Error(`No passkey is asked for: ${html}`);
  return JSON.parse(text.replaceAll('&quot;', '"').replaceAll('&amp;', '&'));
}

/** One passkey in software: an ES256 key that signs as an authenticator does (WebAuthn Level 3, section 6). */
export class SoftwarePasskey {
  readonly id = randomBytes(32).toString('base64url');
  private readonly key: KeyObject;
  private readonly publicPoint: { readonly x: Buffer; readonly y: Buffer };
  private userHandle = '';
  signCount = 0;

  constructor(private readonly origin: string) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    this.key = privateKey;
    this.publicPoint = { x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') };
  }

  /** A `RegistrationResponseJSON`, as text. */
  create(options: unknown, lies: Lies = {}): string {
    const { challenge, rp, user } = options as CreationOptions;
    this.userHandle = user.id;
    const said = this.circumstances(challenge, rp.id, { type: 'webauthn.create', ...lies });
    const credentialId = Buffer.from(this.id, 'base64url');
    const data = Buffer.concat([
      this.authenticatorData(said, 0x40),
      Buffer.alloc(16),
      Buffer.from([credentialId.length >> 8, credentialId.length & 0xff]),
      credentialId,
      this.coseKey(),
    ]);
    const attestation = Buffer.concat([
      cborMap(3),
      ...[cborText('fmt'), cborText(said.format)],
      ...[cborText('attStmt'), said.statement],
      ...[cborText('authData'), cborBytes(data)],
    ]);
    return this.answer({
      clientDataJSON: clientData(said),
      attestationObject: attestation.toString('base64url'),
      transports: ['internal'],
    });
  }

  /** An `AuthenticationResponseJSON`, as text. */
  get(options: unknown, lies: Lies = {}): string {
    const { challenge, rpId } = options as RequestOptions;
    const said = this.circumstances(challenge, rpId, { type: 'webauthn.get', ...lies });
    const data = this.authenticatorData(said, 0);
    const client = clientData(said);
    const hash = createHash('sha256').update(Buffer.from(client, 'base64url')).digest();
    const signature = sign('sha256', Buffer.concat([data, hash]), this.key);
    return this.answer({
      clientDataJSON: client,
      authenticatorData: data.toString('base64url'),
      signature: signature.toString('base64url'),
      userHandle: said.userHandle,
    });
  }

  private circumstances(challenge: string, rpId: string, lies: Lies): Circumstances {
    this.signCount += 1;
    const { origin, userHandle, signCount } = this;
    const attestation = { format: 'none', statement: cborMap(0) };
    const said = { origin, rpId, challenge, isUserVerified: true, userHandle, signCount, type: '' };
    return { ...said, ...attestation, ...lies };
  }

  private authenticatorData({ rpId, isUserVerified, signCount }: Circumstances, flags: number): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(signCount);
    const present = 0x01 | (isUserVerified ? 0x04 : 0) | flags;
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.from([present]), count]);
  }

  /** RFC 9053 section 7.1.1: kty EC2, alg ES256, crv P-256, x and y. */
  private coseKey(): Buffer {
    const { x, y } = this.publicPoint;
    const head = Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01]);
    return Buffer.concat([head, Buffer.from([0x21]), cborBytes(x), Buffer.from([0x22]), cborBytes(y)]);
  }

  private answer(response: object): string {
    return JSON.stringify({ id: this.id, rawId: this.id, type: 'public-key', response });
  }
}

const clientData = ({ type, challenge, origin }: Circumstances): string =>
  Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false })).toString('base64url');

const cborMap = (size: number): Buffer => Buffer.from([0xa0 + size]);
const cborText = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)]);
const cborBytes = (bytes: Buffer): Buffer =>
  Buffer.concat([
    bytes.length < 256
      ? Buffer.from([0x58, bytes.length])
      : Buffer.from([0x59, bytes.length >> 8, bytes.length & 0xff]),
    bytes,
  ]);
