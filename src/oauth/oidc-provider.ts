// First, as it has to be there when the library loads.
import { tellAll } from './runtime-notice.js';
import { errors, interactionPolicy, Provider } from 'oidc-provider';

tellAll();

/** The library as this program loads it. Types come from itself. */
export { errors, interactionPolicy, Provider };
