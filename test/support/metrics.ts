/** The text of `/metrics`. */
export async function metricsOf(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  if (response.status !== 200) throw new Error(`/metrics answered ${String(response.status)}`);
  return response.text();
}

/** One value by its full name, such as `behalf_cache_entries{cache="authorities"}`; 0 where it is missing. */
export async function metric(url: string, name: string): Promise<number> {
  const line = (await metricsOf(url)).split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}
