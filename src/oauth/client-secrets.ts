export * from '../core/client-secrets.js';
