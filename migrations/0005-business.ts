import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Customers, products, orders, invoices, payments, refunds and tickets. */
export class Business1700000000005 implements MigrationInterface {
  readonly name = 'Business1700000000005';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'customers',
      [
        c.id(),
        c.text('number', 40),
        c.text('name', 200),
        c.text('region', 64),
        c.text('country', 100),
        c.nullable(c.text('city', 100)),
        c.nullable(c.text('contact_name', 200)),
        c.nullable(c.text('email', 254)),
        c.nullable(c.text('phone', 60)),
        c.nullable(c.text('address', 500)),
        c.nullable(c.minor('credit_limit_minor')),
        c.text('currency', 3),
        c.time('created_at'),
      ],
      { unique: [['number']], indexes: [['region', 'id'], ['name', 'id'], ['email'], ['created_at', 'id']] },
    );
    await c.create(
      'products',
      [
        c.id(),
        c.text('sku', 60),
        c.text('name', 200),
        c.text('category', 100),
        c.text('description', 2000),
        c.minor('price_minor'),
        c.nullable(c.minor('cost_minor')),
        c.text('currency', 3),
        c.int('stock'),
        c.flag('discontinued'),
        c.int('version'),
        c.time('created_at'),
      ],
      {
        unique: [['sku']],
        indexes: [
          ['category', 'id'],
          ['name', 'id'],
        ],
      },
    );
    await c.create(
      'stock_movements',
      [
        c.id(),
        c.id('product_id'),
        c.int('quantity'),
        c.text('reason', 500),
        c.int('stock_after'),
        c.time('created_at'),
      ],
      { indexes: [['product_id', 'id']] },
    );
    await c.create(
      'orders',
      [
        c.id(),
        c.text('number', 40),
        c.id('customer_id'),
        c.text('status', 20),
        c.time('placed_at'),
        c.nullable(c.time('shipped_at')),
        c.text('currency', 3),
        c.minor('total_minor'),
        c.int('version'),
      ],
      {
        unique: [['number']],
        indexes: [
          ['customer_id', 'placed_at', 'id'],
          ['placed_at', 'id'],
          ['status', 'id'],
        ],
      },
    );
    await c.create(
      'order_lines',
      [
        c.id(),
        c.id('order_id'),
        c.id('customer_id'),
        c.id('product_id'),
        c.int('position'),
        c.int('quantity'),
        c.minor('unit_price_minor'),
        c.int('discount_basis_points'),
        c.minor('total_minor'),
      ],
      { indexes: [['order_id', 'position'], ['product_id'], ['customer_id']] },
    );
    await this.money(c);
    await this.support(c);
  }

  private async money(c: Columns): Promise<void> {
    await c.create(
      'invoices',
      [
        c.id(),
        c.text('number', 40),
        c.id('order_id'),
        c.id('customer_id'),
        c.text('status', 20),
        c.time('issued_at'),
        c.time('due_at'),
        c.text('currency', 3),
        c.minor('amount_minor'),
        c.minor('paid_minor'),
        c.int('version'),
      ],
      {
        unique: [['number']],
        indexes: [['order_id'], ['customer_id', 'issued_at', 'id'], ['issued_at', 'id']],
      },
    );
    await c.create(
      'payments',
      [
        c.id(),
        c.id('invoice_id'),
        c.id('customer_id'),
        c.minor('amount_minor'),
        c.text('currency', 3),
        c.text('method', 20),
        c.nullable(c.text('reference', 100)),
        c.time('received_at'),
      ],
      { indexes: [['invoice_id'], ['customer_id'], ['received_at', 'id']] },
    );
    await c.create(
      'refunds',
      [
        c.id(),
        c.id('payment_id'),
        c.id('customer_id'),
        c.minor('amount_minor'),
        c.text('currency', 3),
        c.text('reason', 500),
        c.time('issued_at'),
      ],
      { indexes: [['payment_id'], ['customer_id'], ['issued_at', 'id']] },
    );
  }

  private async support(c: Columns): Promise<void> {
    await c.create(
      'tickets',
      [
        c.id(),
        c.text('number', 40),
        c.id('customer_id'),
        c.nullable(c.id('order_id')),
        c.text('subject', 300),
        c.text('category', 20),
        c.text('status', 20),
        c.text('priority', 20),
        c.time('created_at'),
        c.time('updated_at'),
        c.int('version'),
      ],
      {
        unique: [['number']],
        indexes: [
          ['customer_id', 'id'],
          ['created_at', 'id'],
          ['status', 'id'],
          ['updated_at', 'id'],
        ],
      },
    );
    await c.create(
      'ticket_messages',
      [
        c.id(),
        c.id('ticket_id'),
        c.id('customer_id'),
        c.text('author', 20),
        c.text('author_name', 200),
        c.flag('internal'),
        c.longtext('body'),
        c.time('created_at'),
      ],
      { indexes: [['ticket_id', 'id']] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, [
      'customers',
      'products',
      'stock_movements',
      'orders',
      'order_lines',
      'invoices',
      'payments',
      'refunds',
      'tickets',
      'ticket_messages',
    ]);
  }
}
