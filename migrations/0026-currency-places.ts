import type { MigrationInterface } from 'typeorm';

/**
 * From here on decimals come from ISO 4217 and not from Node. Nothing is changed: only the company knows with which
 * decimals an amount was stored. Where this migration is pending, `behalf migrate` lists the currencies to check.
 */
export class CurrencyPlaces1700000000026 implements MigrationInterface {
  readonly name = 'CurrencyPlaces1700000000026';

  async up(): Promise<void> {
    // See above.
  }

  async down(): Promise<void> {
    // See above.
  }
}
