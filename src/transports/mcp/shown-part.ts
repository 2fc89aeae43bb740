/** Changes to the data of an answer, which is shared with others and stays as it is. */
export interface Cutting {
  /** Elements that are shown of a list that is cut. */
  readonly lengths: ReadonlyMap<readonly unknown[], number>;
  /** Objects that are shown in place of others. */
  readonly replaced: ReadonlyMap<object, object>;
}

const whole: Cutting = { lengths: new Map(), replaced: new Map() };

/**
 * A copy of JSON data as it is shown: without members that are null, which a list of a hundred rows would repeat a
 * hundred times. Elements of lists that are null stay.
 */
export function shownPart(value: unknown, cutting = whole): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return shownList(value as readonly unknown[], cutting);
  return shownObject((cutting.replaced.get(value) ?? value) as Members, cutting);
}

type Members = Readonly<Record<string, unknown>>;

function shownList(values: readonly unknown[], cutting: Cutting): readonly unknown[] {
  const shown = cutting.lengths.get(values);
  return (shown === undefined ? values : values.slice(0, shown)).map((one) => shownPart(one, cutting));
}

function shownObject(object: Members, cutting: Cutting): Members {
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(object)) {
    const member = object[name];
    if (member === null || member === undefined) continue;
    const value = typeof member === 'object' ? shownPart(member, cutting) : member;
    // By assignment it would be the object's prototype.
    if (name === '__proto__') Object.defineProperty(members, name, { ...visible, value });
    else members[name] = value;
  }
  return members;
}

const visible = { enumerable: true, configurable: true, writable: true } as const;
