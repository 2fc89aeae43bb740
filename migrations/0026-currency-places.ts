import type { MigrationInterface } from 'typeorm';

/**
 * From here on decimals come from ISO 4217 and no longer from Node. Nothing is changed: nobody but the company knows
 * with which decimals an amount was stored. Where this is pending, `behalf migrate` tells which currencies to look at.
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
