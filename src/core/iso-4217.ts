/**
 * The decimal places of each currency: ISO 4217, list one ("Current currency & funds code list"), with the
 * changes up to amendment 180. `Intl` is not used: its data is from CLDR, which differs from ISO and changes
 * with the version of Node.
 */
export const iso4217 = {
  source:
    'https://www.six-group.com/dam/download/financial-information/data-center/iso-currrency/lists/list-one.xml',
  published: '2026-01-01',
} as const;

/** Currency codes by their number of decimal places. */
const codesByPlaces: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF ' +
    'CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD ' +
    'GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL ' +
    'MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR ' +
    'PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP ' +
    'TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};

/** ISO gives these no minor unit ("N.A."): metals, units of account, the test code and the code for no currency. */
const withoutMinorUnit = 'XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX';

/** Decimal places by code; null for a code that has no minor unit. */
export const minorUnits: ReadonlyMap<string, number | null> = new Map([
  ...Object.entries(codesByPlaces).flatMap(([places, codes]) =>
    codes.split(' ').map((code) => [code, Number(places)] as const),
  ),
  ...withoutMinorUnit.split(' ').map((code) => [code, null] as const),
]);
