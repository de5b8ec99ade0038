import { createRequire } from 'node:module';
import { join } from 'node:path';

type TsMorph = typeof import('ts-morph');

export type {
  ArrowFunction,
  CallExpression,
  ClassDeclaration,
  Expression,
  FunctionExpression,
  Identifier,
  NewExpression,
  ObjectBindingPattern,
  PropertyAccessExpression,
  SourceFile,
  StringLiteral,
} from 'ts-morph';
export type Node = import('ts-morph').Node;

/*
 * ts-morph is no dependency of this package: it is found in the project at hand, once, before any transform is loaded. The
 * transforms import these names as they would from ts-morph itself.
 */
export let Node: TsMorph['Node'];
export let SyntaxKind: TsMorph['SyntaxKind'];
export let Project: TsMorph['Project'];

/**
 * Finds ts-morph in the project, or beside this package.
 *
 * @returns false where there is none
 * @throws what ts-morph throws while it is loaded
 */
export function loadTsMorph(cwd: string): boolean {
  const path = resolveFrom(join(cwd, 'package.json')) ?? resolveFrom(import.meta.url);
  if (path === undefined) return false;
  ({ Node, SyntaxKind, Project } = createRequire(path)(path) as TsMorph);
  return true;
}

function resolveFrom(file: string): string | undefined {
  try {
    return createRequire(file).resolve('ts-morph');
  } catch {
    return undefined;
  }
}
