import type { StoredBoundary } from '../../src/store/tables/identity.js';
import { BusinessRows } from './business.js';
import { everywhere, type TestServer } from './server.js';

export const regions = ['africa', 'america', 'asia', 'europe'];

export const inRegions = (...region: string[]): StoredBoundary => ({ ...everywhere, region });

/** A customer, an order, an invoice and a ticket in each region. */
export async function addRegions(server: TestServer): Promise<void> {
  const rows = new BusinessRows(server);
  for (const region of regions) {
    const customer = await rows.customer(`C-${region}`, region);
    const order = await rows.order(`O-${region}`, customer);
    await rows.invoice(`I-${region}`, order);
    await rows.ticket(`T-${region}`, customer);
  }
}
