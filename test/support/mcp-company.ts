import { Company } from './administration.js';
import { BusinessRows } from './business.js';
import { loadBusiness, loadDocuments, smallBusiness } from './demo-rows.js';

/** A company with rows of every kind, and a ticket that can be answered. */
export async function companyWithRows(): Promise<{ readonly company: Company; readonly ticketId: string }> {
  const company = await Company.start();
  const { server } = company;
  await loadBusiness(server.database, smallBusiness());
  await loadDocuments(server.database, server.ids);
  const rows = new BusinessRows(server);
  const { id } = await rows.ticket('T-MCP', await rows.customer('C-MCP', 'europe'));
  return { company, ticketId: id };
}
