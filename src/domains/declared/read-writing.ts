import { Kind, type FieldDefinitionNode, type ObjectTypeDefinitionNode } from 'graphql';
import type {
  FieldDeclaration,
  FieldSource,
  FieldWriting,
  WriteDeclaration,
  WriteDeclarations,
  Writing,
} from './declaration.js';
import { checkedName, isName, type DirectiveValues } from './directive-values.js';
import type { SdlFaults } from './sdl-files.js';

/** Reads what may be written. Everything that is wrong goes to `faults`. */
export class WritingReader {
  constructor(
    private readonly values: DirectiveValues,
    private readonly faults: SdlFaults,
  ) {}

  field(coordinate: string, node: FieldDefinitionNode, source: FieldSource): FieldWriting | undefined {
    const said = this.values.one('writable', node) as
      { on: readonly Writing[]; required?: boolean; scope?: string } | undefined;
    if (said === undefined) return undefined;
    if (source.kind !== 'column' && source.kind !== 'reference')
      this.faults.add(
        node,
        `${coordinate} is no column and no reference, so @writable does not apply to it.`,
      );
    if (node.name.value === 'id')
      this.faults.add(
        node,
        `${coordinate} cannot be written: give the columns of the key fields of their own.`,
      );
    return {
      on: said.on,
      isRequired: said.required ?? node.type.kind === Kind.NON_NULL_TYPE,
      scope: said.scope,
    };
  }

  type(node: ObjectTypeDefinitionNode, fields: readonly FieldDeclaration[]): WriteDeclarations {
    const writes = {
      create: this.mutation('create', node),
      update: this.mutation('update', node),
      delete: this.mutation('delete', node),
    };
    this.checkVersions(node, fields, writes.update !== undefined || writes.delete !== undefined);
    this.checkFields(node, fields, { CREATE: writes.create, UPDATE: writes.update });
    // SDL with such a name, or with an input without fields, could not be read, and would hide other faults.
    const readable = (
      write: WriteDeclaration | undefined,
      writing?: Writing,
    ): WriteDeclaration | undefined =>
      write !== undefined &&
      isName(write.mutation) &&
      (writing === undefined || writtenIn(fields, writing).length > 0)
        ? write
        : undefined;
    return {
      create: readable(writes.create, 'CREATE'),
      update: readable(writes.update, 'UPDATE'),
      delete: readable(writes.delete),
    };
  }

  private mutation(directive: string, node: ObjectTypeDefinitionNode): WriteDeclaration | undefined {
    const said = this.values.one(directive, node) as WriteDeclaration | undefined;
    if (said === undefined) return undefined;
    checkedName(node, said.mutation, this.faults);
    return said;
  }

  private checkVersions(
    node: ObjectTypeDefinitionNode,
    fields: readonly FieldDeclaration[],
    isNeeded: boolean,
  ): void {
    const versions = fields.filter(({ source }) => source.kind === 'version');
    const name = node.name.value;
    if (isNeeded && versions.length === 0)
      this.faults.add(
        node,
        `${name} can be changed or deleted, and no field tells its state: add \`version: String!\` with @version.`,
      );
    if (versions.length > 1)
      this.faults.add(node, `${name} has @version on ${String(versions.length)} fields: leave it on one.`);
  }

  private checkFields(
    node: ObjectTypeDefinitionNode,
    fields: readonly FieldDeclaration[],
    writes: Readonly<Record<Writing, WriteDeclaration | undefined>>,
  ): void {
    const name = node.name.value;
    for (const [writing, declared] of Object.entries(writes) as [Writing, WriteDeclaration | undefined][]) {
      const written = writtenIn(fields, writing);
      const directive = writing === 'CREATE' ? '@create' : '@update';
      if (declared !== undefined && written.length === 0)
        this.faults.add(node, `${name} has ${directive}, and no field is @writable by it.`);
    }
    for (const { name: field, place, writing } of fields) {
      if (writing === undefined || writing.on.some((one) => writes[one] !== undefined)) continue;
      this.faults.at(
        place,
        `${name}.${field} is @writable, and ${name} has no mutation that writes it: add @create or @update.`,
      );
    }
  }
}

const writtenIn = (fields: readonly FieldDeclaration[], writing: Writing): FieldDeclaration[] =>
  fields.filter((field) => field.writing?.on.includes(writing));
