/**
 * A JSON value without members that are null: a list of a hundred rows would repeat them a hundred times. Elements of
 * lists stay. Changes the value in place where it can.
 */
export function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const values = value as unknown[];
    for (const [place, one] of values.entries()) values[place] = withoutNulls(one);
    return values;
  }
  const object = value as Record<string, unknown>;
  const names = Object.keys(object);
  if (names.some((name) => object[name] === null)) return copyOf(object, names);
  for (const name of names) if (typeof object[name] === 'object') object[name] = withoutNulls(object[name]);
  return object;
}

function copyOf(
  object: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const name of names) {
    const member = withoutNulls(object[name]);
    if (member === null) continue;
    // By assignment it would be the object's prototype.
    if (name === '__proto__') Object.defineProperty(members, name, { ...visible, value: member });
    else members[name] = member;
  }
  return members;
}

const visible = { enumerable: true, configurable: true, writable: true } as const;
