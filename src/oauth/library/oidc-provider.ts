// Before the library loads.
import { tellAll } from './runtime-notice.js';
import { errors, interactionPolicy, Provider } from 'oidc-provider';

tellAll();

/** The library as this program loads it, with its own types. */
export { errors, interactionPolicy, Provider };
