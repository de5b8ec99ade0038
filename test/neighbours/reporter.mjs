/** For `node --test`: a line of JSON for each test that has ended, with the names of its suites before its own. */
export default async function* reporter(events) {
  const names = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') names.splice(data.nesting, Infinity, data.name);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details.type === 'suite' && type === 'test:pass') continue;
    const cause = data.details.error?.cause;
    // A suite fails with its tests, which have told why.
    if (data.details.error?.failureType === 'subtestsFailed') continue;
    const error = type === 'test:fail' ? String(cause?.stack ?? cause ?? data.details.error) : undefined;
    const path = [...names.slice(0, data.nesting), data.name];
    yield `${JSON.stringify({ path, ms: data.details.duration_ms, skip: data.skip, error })}\n`;
  }
}
