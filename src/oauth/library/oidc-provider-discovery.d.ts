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
