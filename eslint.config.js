import { readFileSync } from 'node:fs';
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const { order, only } = JSON.parse(
  readFileSync(new URL('./test/support/layers.json', import.meta.url), 'utf8'),
);
const layers = order.flat();

/** What a layer may import: `only` where that is said, else every layer of an earlier step. */
function importable(layer) {
  const step = order.findIndex((names) => names.includes(layer));
  return only[layer] ?? order.slice(0, step).flat();
}

/** As paths stand in an import after the dots: `src/store` → `(src/)?store/`, `src/app.ts` → `(src/)?app.js`. */
const specifiers = (paths) =>
  paths
    .map((path) => path.replace(/^src\//, '(src/)?').replace(/\.ts$/, '\\.js$'))
    .map((path) => (path.endsWith('$') ? path : `${path}/`))
    .join('|');

const directions = layers.map((layer) => {
  const isFile = layer.endsWith('.ts');
  const allowed = importable(layer);
  const banned = layers.filter((other) => other !== layer && !allowed.includes(other));
  // `only` may name a file of a banned folder.
  const except = specifiers(allowed.filter((path) => !layers.includes(path)));
  const regex = [
    isFile ? '^\\.\\.?/' : '^(\\.\\./)+',
    except && `(?!${except})`,
    `(${specifiers([...banned, 'test', 'bench', 'dist'])})`,
  ].join('');
  const message = `${layer} may import only ${allowed.join(', ') || 'packages'}.`;
  return {
    files: isFile ? [layer] : [`${layer}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ regex, message }] }] },
  };
});

export default defineConfig(
  { ignores: ['dist/', 'node_modules/', 'data/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' }, rules: { eqeqeq: ['error', 'always'] } },
  js.configs.recommended,
  { files: ['**/*.{js,mjs,cjs}'], rules: { 'no-undef': 'off' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Interfaces and hooks ask for async functions that have nothing to await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // Code points are what a spread string is for.
      '@typescript-eslint/no-misused-spread': [
        'error',
        { allow: [{ from: 'lib', name: 'string' }, 'string'] },
      ],
      // False alarms on mapped types.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts', 'src/cli/**'],
    rules: { 'no-console': 'error' },
  },
  {
    // Matchers such as expect.any() are typed `any`, and so is what a caller gets back.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  ...directions,
);
