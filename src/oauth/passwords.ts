export * from '../core/passwords.js';
