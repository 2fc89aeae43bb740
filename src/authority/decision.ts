import type { Layer } from '../core/errors.js';
import type { Scope } from './scope.js';

/** Allow, or deny with the reason. It is a structure, so that each reader can word it differently. */
export type Decision =
  | { readonly allow: true }
  | { readonly allow: false; readonly reason: Denial; readonly scope: Scope; readonly layer: Layer };
type Denial = 'hidden' | 'missing_scope' | 'outside_boundary' | 'needs_approval' | 'needs_passkey';
