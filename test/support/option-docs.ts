import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** A default as a comment or a table says it; `event` is that of endpoints of `event.v1`, where it is another. */
export interface WrittenDefault {
  readonly usual: unknown;
  readonly event?: unknown;
}

/** What a default that is no literal is read as: `none`, `built in`, "twice `messagesPerSecond`". */
export const IN_WORDS = Symbol('in words');

const LITERAL = /^(?:`(?<code>'[^`]*'|\[[^`]*\]|true|false|[\d_]+)`|(?<bare>true|false|\d{1,3}(?: \d{3})*)(?!\w))/;

/**
 * The options of an interface by their dotted paths, each with the default that its doc comment tells; groups have none.
 *
 * @param places the files and folders with the interface and with those of its groups
 */
export function defaultsInComments(
  root: string,
  interfaceName: string,
  places: readonly string[],
): Map<string, WrittenDefault | undefined> {
  const types = typesOf(places.map((place) => join(root, place)).flatMap(filesOf));
  const defaults = new Map<string, WrittenDefault | undefined>();
  const walk = (type: ts.Node | undefined, path: string, isWithin: readonly string[]): void => {
    if (!type) return;
    if (ts.isTypeReferenceNode(type) && !isWithin.includes(type.typeName.getText())) {
      const name = type.typeName.getText();
      walk(types.get(name), path, [...isWithin, name]);
    } else if (ts.isInterfaceDeclaration(type) || ts.isTypeLiteralNode(type)) {
      for (const member of type.members) {
        if (!ts.isPropertySignature(member)) continue;
        const option = path === '' ? member.name.getText() : `${path}.${member.name.getText()}`;
        const [, text] = /Default: (.*)/s.exec(commentOf(member)) ?? [];
        defaults.set(option, text === undefined ? undefined : readDefault(text));
        walk(member.type, option, isWithin);
      }
    } else if (ts.isTypeAliasDeclaration(type)) walk(type.type, path, isWithin);
    else if (ts.isParenthesizedTypeNode(type)) walk(type.type, path, isWithin);
    else if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) {
      for (const one of type.types) walk(one, path, isWithin);
    }
  };
  walk(types.get(interfaceName), '', [interfaceName]);
  return defaults;
}

/** The options of a section of a page, by their dotted paths, each with the default that its row tells. */
export function defaultsInTable(page: string, section: string): Map<string, WrittenDefault> {
  const [, text = ''] = page.split(`\n## ${section}\n`);
  const [rows = ''] = text.split('\n## ');
  return new Map(
    [...rows.matchAll(/^\| `(?<path>[\w.]+)` \| (?<cell>[^|]*) \|/gm)].map(({ groups }) => [
      groups?.path ?? '',
      readDefault(groups?.cell ?? ''),
    ]),
  );
}

/** Reads `'pxl'`, `65 536; event: 131 072`, `false, no limit`: the literal that it begins with, and that of `event`. */
function readDefault(text: string): WrittenDefault {
  const [, event] = /^[^;]*; event: (.*)/s.exec(text) ?? [];
  return event === undefined ? { usual: readLiteral(text) } : { usual: readLiteral(text), event: readLiteral(event) };
}

function readLiteral(text: string): unknown {
  const { code, bare } = LITERAL.exec(text)?.groups ?? {};
  const literal = code?.replaceAll("'", '"').replace(/(?<=\d)_(?=\d)/g, '') ?? bare?.replaceAll(' ', '');
  return literal === undefined ? IN_WORDS : (JSON.parse(literal) as unknown);
}

/** The text of the doc comment in front of a member, without its stars. */
function commentOf(member: ts.Node): string {
  const source = member.getSourceFile().text;
  const [comment] = (ts.getLeadingCommentRanges(source, member.pos) ?? []).slice(-1);
  const text = comment ? source.slice(comment.pos + 3, comment.end - 2) : '';
  return text
    .replace(/\n\s*\*/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function filesOf(place: string): string[] {
  return statSync(place).isDirectory() ? readdirSync(place).flatMap((name) => filesOf(join(place, name))) : [place];
}

function typesOf(files: readonly string[]): Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration> {
  const types = new Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration>();
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      const isType = ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
      if (isType) types.set(statement.name.text, statement);
    }
  }
  return types;
}
