import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder, type Sample } from './sample.js';

const read = (name: string): string => readFileSync(join(dataFolder, 'sakila', `${name}.sql`), 'utf8');

type IsIn = (column: string) => string;
const inInventory = (from: string, isIn: IsIn): string =>
  `EXISTS (SELECT 1 FROM inventory i WHERE i.inventory_id = ${from} AND ${isIn('i.store_id')})`;
const inCountry = (tables: string, isIn: IsIn): string =>
  `EXISTS (SELECT 1 FROM ${tables} AND ${isIn('n.country')})`;
const ofAddress =
  'address a JOIN city y ON y.city_id = a.city_id JOIN country n ON n.country_id = y.country_id';
const store = { path: 'store_id', sql: (isIn: IsIn) => isIn('t.store_id') };

/** Most of the time goes into looking through rentals and payments, so one in four is enough. */
const thinned = ['payment', 'rental'].map((table) => `DELETE FROM ${table} WHERE rental_id % 4 <> 0`);

/** A video rental chain, in MariaDB: its tables, without its views and most of its rentals. */
export const sakila: Sample = {
  name: 'sakila',
  statements: () => [
    'SET FOREIGN_KEY_CHECKS = 0',
    ...(read('schema').match(/^CREATE TABLE [^]*?;$/gm) ?? []),
    ...(read('data').match(/^INSERT INTO [^]*?;$/gm) ?? []),
    'SET FOREIGN_KEY_CHECKS = 1',
    ...thinned,
  ],
  dimensions: {
    store: 'SELECT store_id AS v FROM store',
    country: 'SELECT country AS v FROM country',
  },
  bounds: {
    store: { store },
    staff: { store },
    inventory: { store },
    customer: {
      store,
      country: {
        path: 'address.city.country.country',
        sql: (isIn) => inCountry(`${ofAddress} WHERE a.address_id = t.address_id`, isIn),
      },
    },
    rental: {
      store: { path: 'inventory.store_id', sql: (isIn) => inInventory('t.inventory_id', isIn) },
      country: {
        path: 'customer.address.city.country.country',
        sql: (isIn) =>
          inCountry(
            `customer c JOIN ${ofAddress.replace('address a', 'address a ON a.address_id = c.address_id')} WHERE c.customer_id = t.customer_id`,
            isIn,
          ),
      },
    },
    payment: {
      store: {
        path: 'rental.inventory.store_id',
        sql: (isIn) =>
          `EXISTS (SELECT 1 FROM rental r JOIN inventory i ON i.inventory_id = r.inventory_id WHERE r.rental_id = t.rental_id AND ${isIn('i.store_id')})`,
      },
    },
    film: {
      store: {
        path: 'inventories.store_id',
        sql: (isIn) =>
          `EXISTS (SELECT 1 FROM inventory i WHERE i.film_id = t.film_id AND ${isIn('i.store_id')})`,
      },
    },
    city: {
      country: {
        path: 'country.country',
        sql: (isIn) => inCountry('country n WHERE n.country_id = t.country_id', isIn),
      },
    },
    country: { country: { path: 'country', sql: (isIn) => isIn('t.country') } },
  },
  filters: {
    'film.title': ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
    'film.length': ['EQUALS', 'ONE_OF', 'AT_LEAST', 'AT_MOST'],
    'film.rental_rate': ['EQUALS', 'AT_LEAST', 'AT_MOST'],
    'film.rating': ['EQUALS', 'ONE_OF'],
    'rental.rental_date': ['FROM', 'BEFORE'],
    'rental.return_date': ['FROM', 'BEFORE'],
    'payment.amount': ['EQUALS', 'AT_LEAST', 'AT_MOST'],
    'customer.last_name': ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
    'country.country': ['EQUALS', 'ONE_OF', 'STARTS_WITH'],
    'city.city': ['EQUALS', 'STARTS_WITH'],
    'actor.last_name': ['EQUALS', 'STARTS_WITH'],
  },
  sorted: [
    ...[
      'film.title',
      'film.length',
      'film.rental_rate',
      'rental.rental_date',
      'rental.return_date',
      'payment.amount',
    ],
    ...['customer.last_name', 'country.country', 'city.city', 'actor.last_name', 'inventory.last_update'],
  ],
  written: 'customer.first_name',
};
