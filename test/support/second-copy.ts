/** A file of the library, evaluated again: its classes are those of a second installation of the package. */
export async function secondCopy<Exports>(file: string): Promise<Exports> {
  return (await import(`../../lib/${file}.js?second`)) as Exports;
}
