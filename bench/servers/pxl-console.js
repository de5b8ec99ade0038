/** The library again, with its console. */
process.env.PXL_CONSOLE = 'on';
await import('./pxl.js');
