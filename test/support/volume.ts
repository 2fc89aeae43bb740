const told = process.env.BEHALF_TEST_VOLUME ?? '0.1';
/** The share of all random cases that this run makes: 1 in `npm run test:deep`, a tenth in `npm test`. */
const share = Number(told);
if (!(share > 0 && share <= 1)) throw new Error(`BEHALF_TEST_VOLUME is ${told}, not from 0.01 to 1.`);

/** How many of so many random cases this run makes; `least`, where fewer would prove nothing. */
export const volume = (full: number, least = 1): number => Math.max(least, Math.round(full * share));
