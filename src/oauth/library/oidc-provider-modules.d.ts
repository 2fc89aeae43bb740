declare module 'oidc-provider/lib/actions/discovery.js' {
  import type { Provider } from 'oidc-provider';

  interface Context {
    readonly oidc: {
      readonly provider: Provider;
      readonly issuer: string;
      urlFor(name: string): string;
    };
    body?: Readonly<Record<string, unknown>>;
  }
  export default function discovery(ctx: Context): void;
}

declare module 'oidc-provider/lib/helpers/user_codes.js' {
  export function normalize(input: string): string;
}

declare module 'oidc-provider/lib/helpers/re_render_errors.js' {
  export class AlreadyUsedError extends Error {}
}
