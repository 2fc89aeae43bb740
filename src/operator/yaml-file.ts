import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument, type Document, type Range } from 'yaml';
import type { z } from 'zod';
import { yamlReason, type InputFault, type InputFaults } from './input-faults.js';

/** Where something stands in a document: keys, and positions in lists. */
export type Path = readonly (string | number)[];

/** A YAML file of a known form, whose parts can be found again by their paths. */
export interface YamlFile<T> {
  readonly name: string;
  readonly value: T;
  /** A fault at a path, with the line of it or of its nearest existing parent. */
  fault(path: Path, reason: string): InputFault;
}

/** Undefined, with all faults reported, where the text is no YAML or has another form. */
export function readYaml<T>(
  name: string,
  text: string,
  schema: z.ZodType<T>,
  faults: InputFaults,
): YamlFile<T> | undefined {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  for (const error of document.errors) {
    faults.add({ file: name, line: counter.linePos(error.pos[0]).line, reason: yamlReason(error.message) });
  }
  if (document.errors.length > 0) return undefined;
  const lines = new Lines(document, counter);
  const fault = (path: Path, reason: string): InputFault => ({
    file: name,
    line: lines.of(path),
    column: path.join('.'),
    reason,
  });
  const content = contentOf(document);
  if (content instanceof Error) {
    faults.add({ file: name, reason: `${content.message.replace(/\.$/, '')}.` });
    return undefined;
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return { name, value: parsed.data, fault };
  for (const issue of parsed.error.issues) {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    if (issue.code !== 'unrecognized_keys') faults.add(fault(path, issue.message));
    else for (const key of issue.keys) faults.add(fault([...path, key], 'is not known here'));
  }
  return undefined;
}

/** An alias without an anchor, and too many aliases, are found only here. */
function contentOf(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

class Lines {
  constructor(
    private readonly document: Document,
    private readonly counter: LineCounter,
  ) {}

  /** The line of a path, or of its nearest existing parent. */
  of(path: Path): number {
    let node: unknown = this.document.contents;
    let at = rangeOf(node);
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
        if (pair === undefined) break;
        at = rangeOf(pair.key) ?? at;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(part)];
        at = rangeOf(node) ?? at;
      }
    }
    return this.counter.linePos(at?.[0] ?? 0).line;
  }
}

const rangeOf = (node: unknown): Range | undefined => (isNode(node) ? (node.range ?? undefined) : undefined);
